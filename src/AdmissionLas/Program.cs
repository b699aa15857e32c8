using AdmissionLas.Verbs;

return await Root.Create().Parse(args).InvokeAsync().ConfigureAwait(false);
