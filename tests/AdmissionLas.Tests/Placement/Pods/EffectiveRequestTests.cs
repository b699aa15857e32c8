namespace AdmissionLas.Tests.Placement;

public sealed class EffectiveRequestTests
{
    [Fact]
    public void App_containers_add_up() => Assert.Equal(3000, CpuOf(new PodFacts { Containers = [Cpu("1"), Cpu("2")] }));

    [Fact]
    public void Init_containers_run_one_after_the_other_so_the_largest_counts()
    {
        Assert.Equal(3000, CpuOf(new PodFacts { InitContainers = [Cpu("3"), Cpu("2")], Containers = [Cpu("1")] }));
        Assert.Equal(4000, CpuOf(new PodFacts { InitContainers = [Cpu("3"), Cpu("2")], Containers = [Cpu("4")] }));
    }

    [Fact]
    public void Resources_are_compared_one_by_one()
    {
        var request = EffectiveRequest.Of(new PodFacts { InitContainers = [Pods.Container("i", "3", "1Gi")], Containers = [Pods.Container("a", "1", "2Gi")] });

        Assert.Equal((3000, 2L << 30), (request.CpuMilli, request.MemoryBytes));
    }

    [Fact]
    public void Native_sidecars_run_beside_the_app_containers() =>
        Assert.Equal(3500, CpuOf(new PodFacts { InitContainers = [Pods.Sidecar("500m"), Pods.Sidecar("1")], Containers = [Cpu("2")] }));

    // KEP-753: an init container needs room beside the sidecars that were started before it, not beside those after it.
    [Fact]
    public void An_init_container_runs_beside_the_native_sidecars_before_it()
    {
        Assert.Equal(5000, CpuOf(new PodFacts { InitContainers = [Pods.Sidecar("2"), Cpu("3")], Containers = [Cpu("1")] }));
        Assert.Equal(3000, CpuOf(new PodFacts { InitContainers = [Cpu("3"), Pods.Sidecar("2")], Containers = [Cpu("1")] }));
    }

    [Fact]
    public void Once_the_init_containers_are_done_they_do_not_count()
    {
        var pod = new PodFacts { InitContainers = [Pods.Sidecar("500m"), Cpu("8")], Containers = [Cpu("1")], Overhead = Amounts.Of("100m") };

        Assert.Equal(1600, EffectiveRequest.WhileRunning(pod).CpuMilli);
        Assert.Equal(8600, CpuOf(pod));
    }

    [Fact]
    public void A_limit_is_the_request_where_only_the_limit_is_stated()
    {
        Assert.Equal(2000, CpuOf(new PodFacts { Containers = [Pods.Container(limitCpu: "2")] }));
        Assert.Equal(1000, CpuOf(new PodFacts { Containers = [Pods.Container(cpu: "1", limitCpu: "2")] }));
        Assert.Equal(0, CpuOf(new PodFacts { Containers = [Pods.Container(cpu: "0", limitCpu: "2")] }));
    }

    [Fact]
    public void A_pod_level_request_takes_the_place_of_the_containers()
    {
        var request = EffectiveRequest.Of(new PodFacts
        {
            PodRequests = Amounts.Of(cpu: "1"),
            InitContainers = [Cpu("8")],
            Containers = [Pods.Container("a", "4", "2Gi")],
        });

        Assert.Equal((1000, 2L << 30), (request.CpuMilli, request.MemoryBytes));
    }

    // The API server makes a pod-level limit the request only when no container has one (KEP-2837, defaulting).
    [Fact]
    public void A_pod_level_limit_counts_only_where_no_container_has_a_request()
    {
        Assert.Equal(4000, CpuOf(new PodFacts { PodLimits = Amounts.Of(cpu: "4"), Containers = [Pods.Container()] }));
        Assert.Equal(1000, CpuOf(new PodFacts { PodLimits = Amounts.Of(cpu: "4"), Containers = [Cpu("1")] }));
        Assert.Equal(2000, CpuOf(new PodFacts { PodLimits = Amounts.Of(cpu: "4"), Containers = [Pods.Container(limitCpu: "2")] }));
    }

    [Fact]
    public void Overhead_comes_on_top_of_everything()
    {
        var overhead = Amounts.Of("250m", "120Mi");

        Assert.Equal(1250, CpuOf(new PodFacts { Containers = [Cpu("1")], Overhead = overhead }));
        Assert.Equal(3250, CpuOf(new PodFacts { InitContainers = [Cpu("3")], Containers = [Cpu("1")], Overhead = overhead }));
        Assert.Equal(2250, CpuOf(new PodFacts { PodRequests = Amounts.Of("2"), Overhead = overhead }));
    }

    [Fact]
    public void Extended_resources_count_like_the_others()
    {
        var request = EffectiveRequest.Of(new PodFacts
        {
            InitContainers = [new ContainerFacts("i", Amounts.Of(other: (Nodes.Gpu, 4)), default)],
            Containers = [new ContainerFacts("a", Amounts.Of(other: (Nodes.Gpu, 1)), default), new ContainerFacts("b", default, Amounts.Of(other: (Nodes.Gpu, 2)))],
        });

        Assert.Equal(4, request.AmountOf(Nodes.Gpu));
    }

    [Fact]
    public void A_pod_that_states_nothing_asks_for_nothing()
    {
        var request = EffectiveRequest.Of(new PodFacts { Containers = [Pods.Container()] });

        Assert.Equal((null, null, null), (request.CpuMilli, request.MemoryBytes, request.Other));
    }

    static ContainerFacts Cpu(string cpu) => Pods.Container(cpu: cpu);

    static long CpuOf(PodFacts pod) => EffectiveRequest.Of(pod).CpuMilliOrZero;
}
