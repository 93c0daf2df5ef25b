//! The `sonoractl` command: snapshots of a music bot's players, one file per verb.
//!
//! A node shows its players only to the session that owns them, so what plays is asked of the running bot. Where none
//! runs, the stored states are worked on.

mod cleanup;
mod completions;
mod delete;
mod deploy;
mod doctor;
mod guilds;
mod health_check;
mod info;
mod list;
mod man;
mod options;
mod player;
mod queue;
mod restore;
mod save;
mod source;

use clap::{Parser, Subcommand};

use crate::failure::Result;
use crate::output::Out;
use options::Options;

/// Keeps and brings back what the players of a music bot play.
///
/// Every guild's player is a session of a Dalsegno store, such as sonora/123456789. What plays is asked of the
/// running bot; where none runs, the stored states are worked on, and a restore waits for the bot's next start.
#[derive(Debug, Parser)]
#[command(
    name = "sonoractl",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "\
A snapshot (NAME) is a name, an id or the beginning of one, SESSION@ with `latest`, `-2` (two states before) or a
time, or a file that `snapshot save --output` or Sonora wrote.

Exit codes: 0 done, 1 failed, 2 usage, or a node that refuses or is no Lavalink 4, 3 partly done, 4 not found or
ambiguous, 5 conflict or locked, or a node that does not hold what it was told, 6 damaged, 7 wrong key, 8 denied,
9 unreachable, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs, in the order of a first day with the program.
#[derive(Debug, Subcommand)]
enum Verb {
    #[command(subcommand)]
    Snapshot(Snapshot),
    #[command(subcommand)]
    Queue(queue::Queue),
    #[command(name = "health-check")]
    HealthCheck(health_check::HealthCheck),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Deploy(deploy::Deploy),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Save, restore, show, list and delete snapshots of players
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
enum Snapshot {
    Save(save::Save),
    Restore(restore::Restore),
    Info(info::Info),
    List(list::List),
    Delete(delete::Delete),
    Cleanup(cleanup::Cleanup),
}

impl Cli {
    /// Whether answers are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.options.global.json
    }
}

/// Does what was asked.
pub(crate) fn run(cli: &Cli, out: &mut Out) -> Result<()> {
    let options = &cli.options;
    options.settle(out)?;
    match &cli.verb {
        Verb::Snapshot(Snapshot::Save(save)) => save.run(options, out),
        Verb::Snapshot(Snapshot::Restore(restore)) => restore.run(options, out),
        Verb::Snapshot(Snapshot::Info(info)) => info.run(options, out),
        Verb::Snapshot(Snapshot::List(list)) => list.run(options, out),
        Verb::Snapshot(Snapshot::Delete(delete)) => delete.run(options, out),
        Verb::Snapshot(Snapshot::Cleanup(cleanup)) => cleanup.run(options, out),
        Verb::Queue(queue) => queue.run(options, out),
        Verb::HealthCheck(check) => check.run(options, out),
        Verb::Doctor(doctor) => doctor.run(options, out),
        Verb::Deploy(deploy) => deploy.run(options, out),
        Verb::Completions(completions) => completions.run(out),
        Verb::Man(man) => man.run(out),
    }
}
