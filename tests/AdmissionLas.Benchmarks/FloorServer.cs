using System.Buffers;
using System.Net;
using AdmissionLas.Hosting;
using AdmissionLas.Kubernetes;
using AdmissionLas.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Benchmarks;

/// <summary>
/// What no webhook on this server can be faster than: the same Kestrel with the same TLS, which reads a review's bytes without looking at
/// them and answers with what the webhook would have answered.
/// </summary>
static class FloorServer
{
    /// <param name="port">The HTTPS port on 127.0.0.1.</param>
    /// <param name="certificates">A directory with tls.crt and tls.key.</param>
    internal static async Task RunAsync(int port, string certificates)
    {
        var files = CertificateFiles.Read(new ServerOptions { Certificate = Path.Combine(certificates, "tls.crt"), CertificateKey = Path.Combine(certificates, "tls.key") });
        var tls = new ServingTls(ServingCertificate.FromFiles(files, [], DateTimeOffset.UtcNow));
        var answer = Answer();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls.Options) }));
        });
        await using var app = builder.Build();
        app.Run(async http =>
        {
            var body = http.Request.BodyReader;
            while (true)
            {
                var read = await body.ReadAsync(http.RequestAborted);
                body.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }

            http.Response.ContentType = "application/json";
            http.Response.ContentLength = answer.Length;
            await http.Response.Body.WriteAsync(answer, http.RequestAborted);
        });
        await app.RunAsync();
    }

    static byte[] Answer()
    {
        var state = new ClusterState(TimeProvider.System);
        state.Publish(new Placement.ClusterView(Workload.Nodes(500)));
        var answer = new ArrayBufferWriter<byte>();
        new Admission.ReviewHandler(new Settings(CompiledSettings.Default), state, new UsageLedger(TimeProvider.System, TimeSpan.FromMinutes(1))).Handle(Workload.Review("Predict", "LOCATION-7"), answer);
        return answer.WrittenSpan.ToArray();
    }
}
