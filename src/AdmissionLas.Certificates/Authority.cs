namespace AdmissionLas.Certificates;

/// <summary>A certificate and its key, both PEM. The key is never logged: the record's text is the certificate's subject.</summary>
/// <param name="Certificate">The certificate.</param>
/// <param name="KeyPem">Its private key, PKCS #8.</param>
public sealed record KeyPair(CertificateFacts Certificate, string KeyPem)
{
    /// <inheritdoc/>
    public override string ToString() => Certificate.Subject;
}

/// <summary>Makes certificates as RFC 5280 profiles them, with the base library's cryptography.</summary>
public static class Authority
{
    internal const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Makes an authority that signs serving certificates and nothing below them.</summary>
    public static KeyPair Create(CertificatePolicy policy, DateTimeOffset now)
    {
        using var key = NewKey(policy.KeyType);
        var serial = NewSerialNumber();
        // Two authorities of the same name differ in their keys only, and not every verifier compares those.
        var subject = $"{policy.AuthoritySubject}, SERIALNUMBER={Convert.ToHexStringLower(serial.AsSpan(0, 6))}";
        var request = new CertificateRequest(new X500DistinguishedName(subject), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var made = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - CertificatePolicy.ClockSkew, now + policy.AuthorityLifetime, serial);
        return new KeyPair(CertificateFacts.Of(made), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Signs a serving certificate for the policy's names; it never outlives its authority.</summary>
    public static KeyPair Issue(this KeyPair authority, CertificatePolicy policy, DateTimeOffset now)
    {
        using var signer = X509Certificate2.CreateFromPem(authority.Certificate.Pem, authority.KeyPem);
        using var key = NewKey(policy.KeyType);
        var request = new CertificateRequest(new X500DistinguishedName(policy.Subject), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in policy.DnsNames)
        {
            names.AddDnsName(name);
        }

        foreach (var address in policy.IpAddresses)
        {
            names.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(signer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var made = request.Create(
            signer,
            new[] { now - CertificatePolicy.ClockSkew, authority.Certificate.NotBefore }.Max(),
            new[] { now + policy.ServingLifetime, authority.Certificate.NotAfter }.Min(),
            NewSerialNumber());
        return new KeyPair(CertificateFacts.Of(made), key.ExportPkcs8PrivateKeyPem());
    }

    static ECDsa NewKey(KeyType type) => ECDsa.Create(type == KeyType.EcdsaP384 ? ECCurve.NamedCurves.nistP384 : ECCurve.NamedCurves.nistP256);

    // Positive, as RFC 5280 4.1.2.2 requires, with 126 random bits.
    static byte[] NewSerialNumber()
    {
        var number = RandomNumberGenerator.GetBytes(16);
        number[0] &= 0x7f;
        number[0] |= 0x40;
        return number;
    }
}
