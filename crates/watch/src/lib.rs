//! Keeps folders of session files of any program safe, with no change to that program.
//!
//! Every settled change of a session file, JSON or JSON lines, becomes a snapshot of the session that is named after
//! it. [`Watch`] is where to begin; docs/watch.md says what is promised.

mod attend;
mod event;
mod facts;
mod find;
mod folder;
mod hands;
mod inbox;
mod keep;
mod lease;
pub mod lines;
mod name;
mod read;
mod rename;
mod restore;
mod selection;
mod service;
mod settings;
mod settle;
pub mod systemd;
mod take_in;
mod trouble;
mod watch;
mod work;

pub use attend::Files;
pub use event::{Event, Summary};
pub use inbox::Stopper;
pub use name::{Format, session_name};
pub use restore::{file_of_session, put_back, redo, undo};
pub use selection::Selection;
pub use service::{Service, unit};
pub use settings::Settings;
pub use watch::Watch;
