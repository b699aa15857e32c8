using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.ObjectPool;

namespace AdmissionLas.Server;

/// <summary>
/// The memory that Kestrel's connections read into and write from, in blocks that hold a TLS record whole. Kestrel's own blocks have 4 KB: a
/// review of 10 KB is three reads from the socket then, three from the TLS stream, and pieces that have to be put together to be read. One
/// pool for all connections; a connection that waits for data holds no block.
/// </summary>
sealed class TlsRecordMemoryPool : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    /// <summary>What a block holds: 16 KB of content, what TLS may add to it (2 KB in 1.2, RFC 5246 section 6.2.3; less in 1.3), and the record's header.</summary>
    internal const int BlockBytes = 20 * 1024;

    // 2.5 MB at most stay between bursts; a connection at work holds two or three.
    const int MaxKept = 128;

    readonly DefaultObjectPool<Block> kept;

    public TlsRecordMemoryPool() => kept = new(new Blocks(this), MaxKept);

    public override int MaxBufferSize => BlockBytes;

    /// <summary>The same pool for whoever asks.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    /// <summary>A block, whatever is asked for up to its size; back in the pool once disposed of.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More is asked for than a block holds.</exception>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        return kept.Get();
    }

    protected override void Dispose(bool disposing)
    {
        // Nothing but memory, and each of Kestrel's listeners disposes of what the others still use.
    }

    sealed class Block(TlsRecordMemoryPool pool) : IMemoryOwner<byte>
    {
        readonly byte[] bytes = GC.AllocateUninitializedArray<byte>(BlockBytes);

        public Memory<byte> Memory => bytes;

        public void Dispose() => pool.kept.Return(this);
    }

    sealed class Blocks(TlsRecordMemoryPool pool) : IPooledObjectPolicy<Block>
    {
        public Block Create() => new(pool);

        public bool Return(Block obj) => true;
    }
}
