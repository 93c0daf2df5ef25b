//! Players of a Discord music bot on Lavalink nodes: what they play, kept and brought back.
//!
//! A node knows what it plays now; the queue, the history and all the rest live in the bot, and die with it. Here
//! they are a session of the engine each.
//!
//! # Asking
//!
//! A node shows its players only to the session that owns them. Other programs ask the running bot, through
//! [`Engine::ask`](dalsegno::Engine::ask): [`SAVE`], [`RESTORE`], [`QUEUE`] and [`STATE`].
//! A bot that has a [name](Keeping::name) is itself asked to [`TAKE`] the players of others.

mod analytics;
mod archive;
mod ask;
mod attend;
mod autoplay;
mod blocking;
mod bot;
mod bring;
mod client;
mod clock;
mod deploy;
mod deploying;
mod emergency;
mod event;
mod failed;
mod file;
mod filters;
mod hold;
mod keeper;
pub mod lavalink;
mod left;
mod link;
mod manager;
mod node;
mod options;
mod plain;
mod player;
mod plugin;
mod queue;
mod restore;
mod sealed;
mod snapshot;
mod sources;
mod take;
mod track;
mod voice;
mod world;

pub use analytics::{Analytics, Changes, Taken};
pub use archive::{AUTO_SAVED, Archived};
pub use ask::{
    LiveQueue, QUEUE, RESTORE, RestoredPlayer, Restoring, SAVE, STATE, SavedPlayer, Saving, TAKE,
    merge_stored, restore_stored,
};
pub use autoplay::{Answer, Autoplay, Failure, Next, Provider, Strategy, next, smart_shuffle};
pub use bot::{Bot, guard};
pub use bring::{Brought, How};
pub use client::Client;
pub use deploying::{Deployed, Deployment, Offered, Rolling, Taking};
pub use emergency::Emergency;
pub use event::{Happened, Told};
pub use file::{
    MAX_FILE_SIZE, SnapshotFile, checksum, default_name, python_json, read_file, write_file,
};
pub use filters::{Filters, presets};
pub use hold::Hold;
pub use keeper::Keeping;
pub use left::{Left, Recovery};
pub use manager::Folder;
pub use node::Node;
pub use options::Options;
pub use player::{Agreed, Component, LoadedPlayer, Player, State, Whereabouts};
pub use plugin::Plugin;
pub use queue::{LoopMode, Part, Queue, Reconciled, Why};
pub use take::TakenOver;
pub use track::{Track, TrackInfo};
pub use voice::{Voice, Waiting};
