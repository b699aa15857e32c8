using System.CommandLine;
using AdmissionLas.Registration;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las admission-config</c>: prints what makes an API server show the webhook a client certificate.</summary>
static class AdmissionConfigCommand
{
    static readonly Option<string> Folder = Text("--folder", "The folder of the two files on the control plane's machines", "/etc/kubernetes/admission-las");
    static readonly Option<string> Certificate = Text("--certificate", "The client certificate's PEM file there; kubeadm's by default", "/etc/kubernetes/pki/apiserver-kubelet-client.crt");
    static readonly Option<string> Key = Text("--key", "The file of its key", "/etc/kubernetes/pki/apiserver-kubelet-client.key");
    static readonly Option<string> Webhook = Text("--webhook", "The webhook's Service as a DNS name, or the host and port of its URL", $"{ObjectNames.Webhook}.{ObjectNames.Webhook}.svc");

    internal static Command Create()
    {
        var command = new Command(
            "admission-config",
            "Print the API server's admission configuration, with which it shows the webhook a client certificate: two YAML documents, each of which begins "
            + "with the name of its file. The API server takes the first with --admission-control-config-file.")
        {
            Folder, Certificate, Key, Webhook,
        };
        command.SetAction(arguments =>
        {
            var configuration = new AdmissionConfiguration(
                arguments.GetValue(Folder)!.TrimEnd('/'), arguments.GetValue(Certificate)!, arguments.GetValue(Key)!, arguments.GetValue(Webhook)!);
            arguments.InvocationConfiguration.Output.Write(
                $"# {configuration.AdmissionFile}\n{configuration.Admission}\n---\n# {configuration.KubeconfigFile}\n{configuration.Kubeconfig}\n");
        });
        return command;
    }

    static Option<string> Text(string name, string description, string usual) => new(name) { Description = description, DefaultValueFactory = _ => usual };
}
