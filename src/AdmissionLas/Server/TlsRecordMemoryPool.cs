using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.ObjectPool;

namespace AdmissionLas.Server;

/// <summary>
/// Gives Kestrel's connections memory in blocks that hold a whole TLS record. With Kestrel's own blocks of 4 KB a review of 10 KB takes three reads
/// from the socket and three from the TLS stream, and arrives in pieces that are copied together. All connections share one pool; an idle connection
/// holds no block.
/// </summary>
sealed class TlsRecordMemoryPool : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    /// <summary>16 KB of content, what TLS may add (2 KB in 1.2, RFC 5246 section 6.2.3; less in 1.3), and the record's header.</summary>
    internal const int BlockBytes = 20 * 1024;

    // At most 2.5 MB stay allocated between bursts; a busy connection holds two or three blocks.
    const int MaxKept = 128;

    readonly DefaultObjectPool<Block> kept;

    public TlsRecordMemoryPool() => kept = new(new Blocks(this), MaxKept);

    public override int MaxBufferSize => BlockBytes;

    /// <summary>The same pool for every caller.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    /// <summary>A block, for any size up to its own; it returns to the pool when disposed of.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is larger than a block.</exception>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        return kept.Get();
    }

    protected override void Dispose(bool disposing)
    {
        // The pool is memory alone, and each of Kestrel's listeners disposes of it while the others use it.
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
