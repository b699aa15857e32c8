namespace AdmissionLas.Certificates;

/// <summary>The authorities of one webhook: one signs, at most one is next, and old ones stay trusted until nothing that they signed is served.</summary>
/// <param name="Signer">Signs serving certificates.</param>
/// <param name="Next">Becomes the signer once every API server trusts it; <see langword="null"/> when no change is under way.</param>
/// <param name="Old">Earlier signers. Their keys are deleted.</param>
public sealed record Authorities(KeyPair Signer, KeyPair? Next, IReadOnlyList<CertificateFacts> Old)
{
    /// <summary>The authorities that the API server has to trust.</summary>
    public TrustBundle Bundle => new([Signer.Certificate, .. Next is null ? [] : (CertificateFacts[])[Next.Certificate], .. Old]);

    /// <summary>The next authority becomes the signer; the signer's key is dropped.</summary>
    public Authorities Promoted() => new(Next ?? throw new InvalidOperationException("there is no next authority"), null, [Signer.Certificate, .. Old]);

    /// <summary>Whether the signer signed this certificate.</summary>
    public bool SignerSigned(CertificateFacts served) => new TrustBundle([Signer.Certificate]).Signed(served);
}
