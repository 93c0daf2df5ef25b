//! Chat sessions kept as one JSON file each, safe from being cut short.
//!
//! A program keeps its session in `<sid>.json`, an object with a list `messages`. Whenever a save would
//! make that list shorter, the file before it is kept as `<sid>.json.bak`. What is here counts both
//! ([`inspect`]), puts the longer one back ([`recover`], [`recover_all`]), and does such saves
//! ([`save`], [`update`]). No store is needed, and the files stay what they were.
//!
//! ```
//! # fn main() -> dalsegno::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("20261121_0042.json");
//! dalsegno_hermes::save(&path, br#"{"messages": ["Hello", "Hi", "Where were we?"]}"#)?;
//! dalsegno_hermes::save(&path, br#"{"messages": []}"#)?; // the bug that this is there for
//!
//! let status = dalsegno_hermes::inspect(&path)?;
//! assert_eq!((status.live_messages.to_i64(), status.bak_messages.to_i64()), (0, 3));
//!
//! let scan = dalsegno_hermes::recover_all(folder.path())?; // when the program starts
//! assert_eq!((scan.scanned, scan.restored), (1, 1));
//! assert_eq!(dalsegno_hermes::count(&path).to_i64(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! # Which files count
//!
//! [`count`] takes what `json.loads(path.read_text(encoding="utf-8"))` of CPython 3.11 takes, because that is
//! what reads these files: `NaN` and `Infinity`, lone surrogates as escapes, the last of several equal
//! keys; no byte order mark, no raw control characters, no whole number of over [`MAX_DIGITS`] digits,
//! nothing nested deeper than [`MAX_DEPTH`]. It reads piece by piece, so that memory does not grow with the file.
//!
//! # What is promised
//!
//! - A backup is never replaced by one with fewer messages: what stands beside it is kept as
//!   `<sid>.json.kept-<time>`, five deep and for 30 days ([`generations`]).
//! - Counting and plain copies take no more memory for large files; where states are compared and merged, they are read
//!   as a whole.
//! - What a save takes away with an [intent](Saving::intent) stays away; without, it comes back, and what is newer
//!   stays ([`recover`]).
//! - A file is replaced whole or not at all, and the disk has it when a call returns. It keeps its mode
//!   and owner. A symbolic link stays; what it leads to is replaced.
//! - Whatever a restore displaces is kept beside it, as `<sid>.json.displaced-<time>`: see [`recover`].
//! - Calls of several processes on one folder come one after the other: each holds a lock on the folder
//!   itself, which leaves nothing behind. Programs that do not ask for it are noticed where the file
//!   has changed under our hands, and nothing is done then.

mod before;
mod count;
mod displaced;
mod file;
mod generations;
mod lock;
mod name;
mod plain;
mod preview;
mod put_back;
mod rebuild;
mod recover;
mod recover_all;
mod save;
mod scan;
mod status;
mod utf8;

pub use count::{Count, Unreadable, count};
pub use displaced::MAX_DISPLACED;
pub use generations::{DELETED, Generation, Limits, generations};
pub use name::{backup_path, session_id};
pub use preview::preview_recover;
pub use put_back::{preview_recover_from, recover_from};
pub use recover::{Recovery, Source, recover, recover_with};
pub use recover_all::{Scan, Skipped, preview, recover_all, recover_all_with};
pub use save::{Saved, Saving, save, update};
pub use scan::{MAX_DEPTH, MAX_DIGITS, MessageCounter};
pub use status::{Recommendation, Status, inspect, inspect_with};
