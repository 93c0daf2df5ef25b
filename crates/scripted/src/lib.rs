//! A scripted Lavalink v4 node, and a Discord voice endpoint, for tests.
//!
//! A [`Node`] is as the official server (4.2) where it answers, plays and tells, and strict in what it takes: a field
//! that is not documented is an error. Oddities of compatible servers can be switched on one by one ([`Oddities`]),
//! and faults scripted ([`Fault`]). Time is the machine's or a test's ([`Clock`]). What really happens is seen from
//! outside, whatever the node answers: [`Node::heard`], [`Node::player`], [`Node::requests`].
//!
//! ```
//! use dalsegno_scripted::{Node, Options};
//!
//! let node = Node::start(Options::default())?;
//! println!("ws://{}/v4/websocket", node.address());
//! assert!(node.sessions().is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```

mod background;
mod catalogue;
mod clock;
mod encoding;
mod events;
mod faults;
mod filters;
mod heard;
mod node;
mod oddities;
mod options;
mod player;
mod rest;
mod session;
mod shared;
mod socket;
mod state;
mod update;
mod voice;

pub use catalogue::{Catalogue, Playlist, Track};
pub use clock::{Clock, TestClock};
pub use events::{End, Event};
pub use faults::{Fault, Rule};
pub use heard::{Heard, PlayerView, Seen, SessionView, Sound};
pub use node::Node;
pub use oddities::{Oddities, RateLimit};
pub use options::{Options, Voice};
pub use voice::{VoiceEndpoint, VoiceServer};
