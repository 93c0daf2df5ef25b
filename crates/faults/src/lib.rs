//! A disk with faults under SQLite, for tests.
//!
//! A [`Disk`] is a simulated disk in memory, registered with SQLite as a VFS under a name of its
//! own. Any code of the process that opens its database with that name runs on it:
//!
//! ```
//! use dalsegno_faults::{Disk, PowerLoss};
//!
//! let disk = Disk::new();
//! let db = disk.open("a.db")?;
//! db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1);")?;
//! disk.stop_at(1); // one more operation, then the power is gone
//! assert!(db.execute_batch("INSERT INTO t VALUES (2);").is_err());
//!
//! let after = disk.crash(PowerLoss::Random(7));
//! let rows: i64 = after.open("a.db")?.query_row("SELECT count(*) FROM t", [], |r| r.get(0))?;
//! assert!(rows == 1 || rows == 2);
//! # Ok::<(), rusqlite::Error>(())
//! ```
//!
//! # The model
//!
//! * **Live and durable bytes are kept apart.** A write or truncate changes the live bytes, which
//!   everybody reads, and is remembered as a pending change of its file. A sync makes all pending
//!   changes of its file durable. A power loss keeps the durable bytes and what the
//!   [`PowerLoss`] says of the pending changes: nothing, everything, or a random part in random
//!   order with writes torn at sectors of 512 bytes.
//! * **Bytes next to a write are safe** (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`), and nothing else is
//!   promised: the device characteristics and the sector size are those of SQLite's unix VFS, so
//!   SQLite leaves out no sync that it would do on a real file system.
//! * **A created file** is there after a power loss if it was synced itself. POSIX asks for a sync
//!   of the directory too; ext4, XFS and btrfs write the name with the first sync of a new file, and
//!   SQLite's unix VFS counts on it for the database file. Like that VFS, the first sync of a
//!   journal or WAL by the handle that created it also syncs the directory. A file that was never
//!   synced may be there, with any part of its writes, or not.
//! * **A deleted file** may be back after a power loss until its directory is synced: SQLite asks
//!   for that when it deletes a rollback journal under `synchronous=EXTRA` or a super-journal.
//!   Therefore `journal_mode=DELETE` with `synchronous=FULL` can lose the last acknowledged
//!   transaction here, as SQLite's documentation says of real disks. And a store that is switched
//!   to `journal_mode=WAL` should have `synchronous=EXTRA` before: the switch is a transaction with
//!   a rollback journal, whose return would undo it. ext4 and XFS are kinder than this model: there
//!   the sync of any file takes all earlier deletions along.
//! * **Shared memory** of the WAL index and all locks belong to the running processes: they are
//!   gone after a power loss.
//!
//! # Limits
//!
//! * The plug-in layer does not pass on whether a deletion asks for a directory sync. It is derived
//!   from `PRAGMA synchronous`, seen on its way, of the connection that holds the lock.
//! * File controls other than pragmas are unknown to it (`SQLITE_FCNTL_PERSIST_WAL` and so on), and
//!   there is no memory mapping: `PRAGMA mmap_size` has no effect.
//! * Paths are compared as they are written, `./a` and `a` being two files; there are no links, no
//!   permissions and no directories beside the part of a path before its last `/`.
//! * Only SQLite's files are on the disk. What code does through `std::fs` passes by.
//! * A file may be open in several connections and threads, of one process.

mod crash;
mod disk;
mod fault;
mod file;
mod locks;
mod names;
mod registry;
mod shm;
mod state;
mod vfs;

pub use crash::PowerLoss;
pub use disk::Disk;
pub use fault::{Fault, Op, Step};
