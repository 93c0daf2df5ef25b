//! Kills, power losses, full disks, flipped bytes, and many programs on one store.
#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used)] // clippy allows it in tests, but not in what they call

mod asks;
mod backup_chains;
mod backup_flips;
mod backup_full_disk;
mod backup_kills;
mod deeds;
mod disk_errors;
mod evening;
mod flips;
mod handover;
mod housekeeping;
mod key_kills;
mod kills;
mod leftovers;
mod live;
mod mending;
mod power;
mod replay;
mod sealed_disk;
mod sealed_flips;
mod slots;
mod swaps;
mod tamper;
mod together;
mod turned;
mod upgrade;
mod wal_flips;
