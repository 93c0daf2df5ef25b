//! `dalsegno key …`: encryption of a store, and the keys that open it.

mod add;
mod generate;
mod init;
mod list;
mod new;
mod remove;
mod rotate;
mod wipe;

use clap::Subcommand;
use dalsegno::{Engine, ErrorKind, KeyKind, KeySlot, Turned};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::{Place, writable};

/// Encrypt the store, and say which keys open it
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Key {
    Generate(generate::Generate),
    Init(init::Init),
    Add(add::Add),
    List(list::List),
    Rotate(rotate::Rotate),
    Remove(remove::Remove),
    Wipe(wipe::Wipe),
}

impl Key {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::Generate(generate) => generate.run(out),
            Self::Init(init) => init.run(global, out),
            Self::Add(add) => add.run(global, out),
            Self::List(list) => list.run(global, out),
            Self::Rotate(rotate) => rotate.run(global, out),
            Self::Remove(remove) => remove.run(global, out),
            Self::Wipe(wipe) => wipe.run(global, out),
        }
    }
}

/// Opens an encrypted store, to change its keys.
fn open(global: &Global) -> Result<Engine> {
    let engine = Place::open(global)?;
    if !engine.is_encrypted() {
        return Err(Failure::new(
            ErrorKind::Conflict,
            "the store is not encrypted; `dalsegno key init` encrypts it",
        ));
    }
    writable(&engine)?;
    Ok(engine)
}

fn kind(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Key => "key",
        KeyKind::Passphrase => "passphrase",
        _ => "of a later version",
    }
}

/// A key as people read it.
fn shown(slot: &KeySlot) -> String {
    let label = slot
        .label
        .as_deref()
        .map(|label| format!(", '{}'", human::safe(label)));
    format!(
        "key {} ({}{})",
        slot.id,
        kind(slot.kind),
        label.unwrap_or_default()
    )
}

/// The sizes before and after.
fn sizes(turned: &Turned) -> String {
    format!(
        "{} before, {} now",
        human::size(turned.bytes_before),
        human::size(turned.bytes_after)
    )
}
