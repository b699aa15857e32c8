using System.CommandLine;
using AdmissionLas.Verbs;

var root = new RootCommand("AdmissionLas places Kubeflow pipeline steps: prediction near the one who asks, training on the big machines.")
{
    ServeCommand.Create(),
    DemoCommand.Create(),
};
return await root.Parse(args).InvokeAsync().ConfigureAwait(false);
