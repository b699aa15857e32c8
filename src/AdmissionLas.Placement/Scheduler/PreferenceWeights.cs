namespace AdmissionLas.Placement;

/// <summary>
/// The weights that make the default scheduler walk our list in order.
/// </summary>
/// <remarks>
/// <para>
/// How the scheduler counts (https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins; plugin weights as of v1beta3):
/// a node's affinity score is the sum of the weights of the terms that match it; among the nodes that pass the filters the largest sum
/// becomes 100 and the others follow in proportion; that is counted twice. Against it stand resource fit, balanced allocation and image
/// locality with up to 100 each, pod spread with up to 200, and PreferNoSchedule taints with up to 300.
/// </para>
/// <para>
/// So the lead of the first node over the second is 200·(1 - w2/w1) points, and after the first is full and filtered out, the lead of the
/// second over the third is 200·(1 - w3/w2): only the ratio of neighbours counts, wherever on the list we are. A straight line (100, 99,
/// 98 …) leads by 2 points and loses to any difference in load. Weights are whole numbers from 1 to 100, so ratios are dear: we spend most
/// on the first step, where the whole gain in latency is, and about a half on each of the next.
/// </para>
/// <para>
/// 100, 12, 5, 2, 1 gives leads of 176, 116, 120 and 100 points; whatever is named after that weighs 1, still ahead of every node that
/// is not named (200 points). Nodes at the same latency as the first get 99: they are as near, so 2 points decide between idle ones and
/// the scheduler's knowledge of the load decides between busy ones. Equal latencies further down share a weight for the same reason.
/// </para>
/// </remarks>
public static class PreferenceWeights
{
    static ReadOnlySpan<byte> Ladder => [100, 12, 5, 2, 1];

    /// <summary>The weight of the nodes at the latency of the first.</summary>
    internal const int TiedWithFirst = 99;

    /// <summary>The weights, 1 to 100 and never rising, for nodes at these latencies in ascending order.</summary>
    public static int[] For(ReadOnlySpan<double> latenciesMs)
    {
        var weights = new int[latenciesMs.Length];
        var step = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (i > 0 && latenciesMs[i] > latenciesMs[i - 1])
            {
                step = Math.Min(step + 1, Ladder.Length - 1);
            }

            weights[i] = i > 0 && step == 0 ? TiedWithFirst : Ladder[step];
        }

        return weights;
    }
}
