namespace AdmissionLas.Placement;

/// <summary>
/// Any and All over lists for what is asked of node after node in every review. The condition gets what it needs beside the item, so that a
/// search allocates nothing; LINQ's take an enumerator and a closure each.
/// </summary>
static class ListSearch
{
    internal static bool Any<T, TArgument>(this IReadOnlyList<T> items, TArgument argument, Func<T, TArgument, bool> condition)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (condition(items[i], argument))
            {
                return true;
            }
        }

        return false;
    }

    internal static bool All<T, TArgument>(this IReadOnlyList<T> items, TArgument argument, Func<T, TArgument, bool> condition)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (!condition(items[i], argument))
            {
                return false;
            }
        }

        return true;
    }
}
