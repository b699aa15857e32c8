using System.CommandLine;
using AdmissionLas.Cli;

// The library's own limit of two seconds after SIGTERM would end the server while it drains; each verb has limits of its own.
return await Root.InvokeAsync(args, new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(2) }).ConfigureAwait(false);
