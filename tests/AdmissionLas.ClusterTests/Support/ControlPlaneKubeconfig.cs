using System.Runtime.CompilerServices;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>The cluster admin's kubeconfig, for tests that drive kubectl.</summary>
static class ControlPlaneKubeconfig
{
    extension(ControlPlane cluster)
    {
        internal string Kubeconfig => FieldOf(cluster);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "kubeconfig")]
    static extern ref string FieldOf(ControlPlane cluster);
}
