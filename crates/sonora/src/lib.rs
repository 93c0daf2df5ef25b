//! Players of a Discord music bot on Lavalink nodes: what they play, kept and brought back.
//!
//! A node knows what it plays now; the queue, the history and all the rest live in the bot, and die with it. Here
//! they are a session of the engine each.

mod analytics;
mod archive;
mod autoplay;
mod bot;
mod bring;
mod client;
mod clock;
mod event;
mod file;
mod filters;
mod hold;
pub mod lavalink;
mod link;
mod manager;
mod node;
mod player;
mod plugin;
mod queue;
mod restore;
mod sealed;
mod snapshot;
mod track;
mod voice;
mod world;

pub use analytics::{Analytics, Changes, Taken};
pub use archive::{AUTO_SAVED, Archived};
pub use autoplay::{Answer, Autoplay, Failure, Next, Provider, Strategy, next, smart_shuffle};
pub use bot::{Bot, Keeping, Recovery, guard};
pub use bring::{Brought, How};
pub use client::{Client, Left, Options};
pub use event::{Happened, Told};
pub use file::{MAX_FILE_SIZE, SnapshotFile, checksum, default_name, python_json};
pub use filters::{Filters, presets};
pub use hold::Hold;
pub use manager::Folder;
pub use node::Node;
pub use player::{Agreed, Component, LoadedPlayer, Player, State, Whereabouts};
pub use plugin::Plugin;
pub use queue::{LoopMode, Part, Queue, Reconciled, Why};
pub use track::{Track, TrackInfo};
pub use voice::{Voice, Waiting};
