//! The protocol of Lavalink 4: lenient in what is read, exact in what is sent.

mod address;
mod change;
mod message;
mod pace;
mod rest;
mod sending;
mod socket;
mod tls;
mod voice;
mod wire;

pub use address::{Address, Password};
pub use change::{PlayerChange, TrackChange};
pub use message::{EndReason, Event, Message, Stats};
pub use rest::Rest;
pub use socket::{Arrived, Resume, Socket};
pub use voice::VoiceServer;
pub use wire::{Info, Loaded, NodePlayer, PlayerState};
