namespace AdmissionLas.Webhook;

/// <summary>
/// How one kind of JSON object is read: for each member of interest what it puts into <typeparamref name="T"/>. The other members are
/// skipped. Where a name stands twice, its reader runs twice, so the last value counts.
/// </summary>
sealed class JsonMembers<T> where T : struct
{
    readonly JsonNames<Reader> readers;

    /// <summary>Reads the value of a member that the cursor stands before.</summary>
    internal delegate void Reader(ref JsonCursor json, ref T into);

    /// <summary>Makes something of an object that the cursor stands behind.</summary>
    internal delegate TItem Make<out TItem>(in JsonCursor json, T item);

    /// <summary>An object without members of interest.</summary>
    internal JsonMembers() => readers = new();

    /// <summary>An object with the members of another, to which more can be added.</summary>
    internal JsonMembers(JsonMembers<T> others) => readers = new(others.readers);

    /// <summary>Adds a member.</summary>
    internal Reader this[string name]
    {
        set => readers[name] = value;
    }

    /// <summary>Reads an object; <see langword="null"/> when there is null in its place.</summary>
    internal T? Read(ref JsonCursor json) => TryRead(ref json, out var item) ? item : null;

    // Some of these structs are large: they are filled where they are.
    bool TryRead(ref JsonCursor json, out T into)
    {
        into = default;
        if (!json.ReadObject())
        {
            return false;
        }

        while (json.NextMember())
        {
            if (readers.Find(json.Raw) is { } read)
            {
                read(ref json, ref into);
            }
            else
            {
                json.SkipValue();
            }
        }

        return true;
    }

    /// <summary>Reads the next item of a list of such objects; <see langword="false"/> at the list's end.</summary>
    internal bool ReadItem(ref JsonCursor json, out T item)
    {
        var isThere = json.NextItem();
        item = default;
        return isThere && (TryRead(ref json, out item) ? true : throw json.Fault("is not an object"));
    }

    /// <summary>Reads a list of such objects; <see langword="null"/> when there is null in its place.</summary>
    internal List<T>? ReadList(ref JsonCursor json, int most = int.MaxValue) => ReadList(ref json, static (in _, item) => item, most);

    /// <summary>The same, with something made of each object as soon as it is read.</summary>
    /// <param name="json">Stands before the list.</param>
    /// <param name="make">Makes it.</param>
    /// <param name="most">How many objects are of interest: those behind them are skipped.</param>
    internal List<TItem>? ReadList<TItem>(ref JsonCursor json, Make<TItem> make, int most = int.MaxValue)
    {
        if (!json.ReadArray())
        {
            return null;
        }

        var items = new List<TItem>();
        while (items.Count < most && ReadItem(ref json, out var item))
        {
            items.Add(make(in json, item));
        }

        while (items.Count == most && json.NextItem())
        {
            json.SkipValue();
        }

        return items;
    }
}
