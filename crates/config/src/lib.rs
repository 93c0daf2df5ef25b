//! Configuration: what `dalsegno.toml` says, by layer, and whether it may name commands.
//!
//! [`Config::load`] asks each layer in turn: options of the command, variables of the environment, the
//! project's `dalsegno.toml` (the nearest one from the working folder up), the user's `config.toml`, and what
//! holds without any. Each value is a [`Setting`] that knows its [`Origin`].
//!
//! Commands and addresses ([`Hook`]s, [`Migration`]s, and the command that prints the key) are taken from the user's own file, and from a project's file only
//! while [`Trust`] knows it with exactly this content: whoever enters a folder of somebody else runs nothing
//! of theirs. docs/config.md shows all keys.

mod check;
mod command;
mod config;
mod finding;
mod guard;
mod hook;
mod key;
mod layers;
mod left_out;
mod load;
mod migration;
mod origin;
mod parse;
mod sessions;
mod show;
mod source;
mod stack;
mod token;
mod trust;
mod units;
mod values;
mod watching;

pub use config::{AUTOSAVE_INTERVAL, Autosave, Config, WATCH_SETTLE, Watch};
pub use finding::Finding;
pub use guard::Guard;
pub use hook::{Action, EVENTS, HOOK_TIMEOUT, Hook, Secret};
pub use key::KeySource;
pub use layers::{Flags, Layers, PROJECT_FILE, USER_FILE};
pub use left_out::{LeftOut, Refused, Role};
pub use load::Loaded;
pub use migration::{MIGRATION_TIMEOUT, Migration};
pub use origin::{Origin, Setting};
pub use sessions::Sessions;
pub use show::Shown;
pub use source::Exposure;
pub use token::TokenSource;
pub use trust::{State, Trust, Trusted, Trusting};
pub use units::size;
pub use watching::{LEAST_WATCH_SETTLE, watch_pattern, watch_settle};
