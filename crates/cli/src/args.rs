//! What users type: the options that all verbs share, and the verbs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::verb;

/// Keeps every state of a long-running session small, whole and provable.
///
/// A session is a name, like bot/42, and a JSON document. Every state that is saved can be had back,
/// byte for byte.
#[derive(Debug, Parser)]
#[command(
    name = "dalsegno",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "\
A reference (REF) is an id or the beginning of one, a snapshot's name, or SESSION@ with
`latest`, `-2` (two states before), a name, `turn:42`, or a time like 2026-11-20T21:30.

Exit codes: 0 done, 1 failed, 2 usage, 3 partly done, 4 not found or ambiguous,
5 conflict or locked, 6 damaged, 7 wrong key, 8 denied, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The options of every verb.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The store: a file, or a folder that holds store.db
    ///
    /// Without it, the environment's DALSEGNO_STORE, else .dalsegno/ here if it holds a store, else
    /// dalsegno/ in the user's data folder. Only `init` and `demo` make one.
    #[arg(long, global = true, value_name = "PATH", display_order = 100)]
    pub(crate) store: Option<PathBuf>,
    /// Print JSON: sizes in bytes, times in UTC
    #[arg(long, global = true, display_order = 101)]
    pub(crate) json: bool,
}

/// The verbs, in the order of a first day with the program.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Demo(verb::demo::Demo),
    Init(verb::init::Init),
    #[command(subcommand)]
    Snapshot(verb::snapshot::Snapshot),
    Verify(verb::verify::Verify),
    Export(verb::export::Export),
    Import(verb::import::Import),
    Doctor(verb::doctor::Doctor),
    #[command(name = "demo-writer", hide = true)]
    DemoWriter(verb::demo::writer::DemoWriter),
}

/// Prints what `--help` or `--version` asked for.
pub(crate) fn help(asked: &clap::Error) -> ExitCode {
    match asked.print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Whether the arguments, which could not be read, ask for JSON all the same.
pub(crate) fn asks_for_json(arguments: &[OsString]) -> bool {
    let options = arguments.iter().take_while(|argument| *argument != "--");
    options.into_iter().any(|argument| argument == "--json")
}
