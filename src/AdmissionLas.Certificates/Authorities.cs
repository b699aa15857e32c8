namespace AdmissionLas.Certificates;

/// <summary>The authorities of one webhook: one signs, at most one is about to, and those before it are trusted until nothing of theirs is served.</summary>
/// <param name="Signer">Signs serving certificates.</param>
/// <param name="Next">Takes over once every API server trusts it; <see langword="null"/> when no change is under way.</param>
/// <param name="Old">Signed before. Their keys are gone.</param>
public sealed record Authorities(KeyPair Signer, KeyPair? Next, IReadOnlyList<CertificateFacts> Old)
{
    /// <summary>Those whom the API server is to trust.</summary>
    public TrustBundle Bundle => new([Signer.Certificate, .. Next is null ? [] : (CertificateFacts[])[Next.Certificate], .. Old]);

    /// <summary>The next authority becomes the signer; the signer's key is forgotten.</summary>
    public Authorities Promoted() => new(Next ?? throw new InvalidOperationException("there is no next authority"), null, [Signer.Certificate, .. Old]);

    /// <summary>Whether the signer signed this certificate.</summary>
    public bool SignerSigned(CertificateFacts served) => new TrustBundle([Signer.Certificate]).Signed(served);
}
