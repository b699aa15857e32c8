using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Https;

// What the webhook is measured beside: Kestrel with the same TLS, which reads a review's bytes without looking at them and answers what the
// webhook would have answered. "tuned" has the webhook's memory for connections as well; with its settings of the runtime, which come from
// outside, it is what no webhook on Kestrel can be faster than.
if (args is not [var port, var certificates, var answerFile, .. [] or ["tuned"]])
{
    await Console.Error.WriteLineAsync("usage: floor PORT DIRECTORY-WITH-tls.crt-AND-tls.key FILE-WITH-THE-ANSWER [tuned]");
    return 2;
}

var answer = await File.ReadAllBytesAsync(answerFile);
// As the webhook does: the certificate and its chain are prepared once, not with each handshake.
using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(certificates, "tls.crt"), Path.Combine(certificates, "tls.key"));
var tls = new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null) };
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
if (args.Length > 3)
{
    builder.Services.AddSingleton<IMemoryPoolFactory<byte>, TlsRecordMemoryPool>();
}

builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.Listen(IPAddress.Loopback, int.Parse(port, System.Globalization.CultureInfo.InvariantCulture), listen => listen.UseHttps(new TlsHandshakeCallbackOptions
    {
        OnConnection = _ => ValueTask.FromResult(tls),
    }));
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
return 0;
