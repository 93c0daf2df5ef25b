//! Players on Lavalink nodes, for `dalsegno.sonora`.

mod archive;
mod callbacks;
mod client;
mod credential;
mod fail;
mod file;
mod player;
mod queue;
mod runtime;
mod stored;
mod told;
mod visit;

pub(crate) use client::SonoraCore;
pub(crate) use credential::{sonora_decrypt, sonora_encrypt};
pub(crate) use file::{SonoraFile, SonoraFolder, sonora_read, sonora_write};
pub(crate) use player::SonoraPlayer;
pub(crate) use visit::sonora_leave;
