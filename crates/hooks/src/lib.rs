//! Hooks: commands and webhooks that are told of events; and the commands of migrations.
//!
//! Each hook has a queue and a thread of its own, so that neither whoever sends an event nor another hook
//! waits for a slow one. A queue is bounded: where it is full, its oldest event is dropped, and the next
//! one that is delivered says in `missed` how many were.
//!
//! An event is a JSON object with `id`, `at`, `event`, `session`, `actor` and what else belongs to it. A
//! command gets all of it, as one line on standard input; a webhook gets names, ids and numbers only
//! ([`body`]).
//!
//! ```
//! use std::time::Duration;
//!
//! use dalsegno_config::{Config, Flags, Layers};
//! use dalsegno_hooks::Hooks;
//! use serde_json::json;
//!
//! let loaded = Config::load(&Layers::of_process(Flags::default()))?;
//! let hooks = Hooks::start(loaded.config.hooks, |outcome| eprintln!("{outcome}"))?;
//! hooks.send(&json!({"id": "1", "at": "2026-11-21T09:00:00Z", "event": "restored", "session": "bot/42"}));
//! let left = hooks.close(Duration::from_secs(5));
//! assert_eq!(left, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod body;
mod command;
mod hooks;
mod outcome;
mod queue;
mod retry;
mod sign;
mod stop;
mod webhook;
mod worker;

pub use address::is_refused;
pub use body::body;
pub use command::migrate;
pub use hooks::{Hooks, Options};
pub use outcome::{Failure, Outcome};
pub use retry::Retry;
pub use sign::signature;
