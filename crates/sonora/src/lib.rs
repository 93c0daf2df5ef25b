//! Players of a Discord music bot on Lavalink nodes: what they play, kept and brought back.
//!
//! A node knows what it plays now; the queue, the history and all the rest live in the bot, and die with it. Here
//! they are a session of the engine each.

pub mod lavalink;
mod track;

pub use analytics::{Analytics, Changes, Taken};
pub use autoplay::{Answer, Autoplay, Failure, Next, Provider, Strategy, next, smart_shuffle};
pub use file::{MAX_FILE_SIZE, SnapshotFile, checksum, default_name, python_json};
pub use filters::{Filters, presets};
pub use queue::{LoopMode, Part, Queue, Reconciled, Why};
pub use track::{Track, TrackInfo};
