//! What users type: the options that all verbs share, and the verbs.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args as _, Command, CommandFactory, Parser, Subcommand};

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::{settings, verb};

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
5 conflict or locked, 6 damaged, 7 wrong key, 8 denied, 9 unreachable, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs, in the order of a first day with the program.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Demo(verb::demo::Demo),
    Init(verb::init::Init),
    #[command(subcommand)]
    Snapshot(verb::snapshot::Snapshot),
    Rollback(verb::rollback::Rollback),
    Undo(verb::undo::Undo),
    Redo(verb::undo::Redo),
    Log(verb::log::Log),
    Fork(verb::fork::Fork),
    #[command(subcommand)]
    Policy(verb::policy::Policy),
    #[command(subcommand)]
    Guard(verb::guard::Guard),
    Events(verb::events::Events),
    Recover(verb::recover::Recover),
    #[command(subcommand)]
    Migrate(verb::migrate::Migrate),
    #[command(subcommand)]
    Lease(verb::lease::Lease),
    #[command(subcommand)]
    Key(verb::key::Key),
    #[command(subcommand)]
    Access(verb::access::Access),
    #[command(subcommand)]
    Audit(verb::audit::Audit),
    #[command(subcommand)]
    Backup(verb::backup::Backup),
    #[command(subcommand)]
    Session(verb::session::Session),
    #[command(subcommand)]
    Config(verb::config::Config),
    Trust(verb::trust::Trust),
    Watch(verb::watch::Watch),
    Verify(verb::verify::Verify),
    Repair(verb::repair::Repair),
    Scrub(verb::scrub::Scrub),
    Export(verb::export::Export),
    Import(verb::import::Import),
    Doctor(verb::doctor::Doctor),
    Stats(verb::stats::Stats),
    Report(verb::report::Report),
    #[command(subcommand)]
    Hermes(verb::hermes::Hermes),
    Completions(verb::completions::Completions),
    Man(verb::man::Man),
    #[command(name = "demo-writer", hide = true)]
    DemoWriter(verb::demo::writer::DemoWriter),
    #[command(name = "demo-bot", hide = true)]
    DemoBot(verb::demo::sonora::bot::DemoBot),
}

/// Does what was asked.
pub(crate) fn run(cli: &Cli, out: &mut Out) -> Result<()> {
    let global = &cli.global;
    settings::unlock(global);
    match &cli.verb {
        Verb::Demo(demo) => demo.run(global, out),
        Verb::Init(init) => init.run(global, out),
        Verb::Snapshot(verb) => verb.run(global, out),
        Verb::Rollback(rollback) => rollback.run(global, out),
        Verb::Undo(undo) => undo.run(global, out),
        Verb::Redo(redo) => redo.run(global, out),
        Verb::Log(log) => log.run(global, out),
        Verb::Fork(fork) => fork.run(global, out),
        Verb::Policy(verb) => verb.run(global, out),
        Verb::Guard(verb) => verb.run(global, out),
        Verb::Events(events) => events.run(global, out),
        Verb::Recover(recover) => recover.run(global, out),
        Verb::Migrate(verb) => verb.run(global, out),
        Verb::Lease(verb) => verb.run(global, out),
        Verb::Key(verb) => verb.run(global, out),
        Verb::Access(verb) => verb.run(global, out),
        Verb::Audit(verb) => verb.run(global, out),
        Verb::Backup(verb) => verb.run(global, out),
        Verb::Session(verb) => verb.run(global, out),
        Verb::Config(verb) => verb.run(global, out),
        Verb::Trust(trust) => trust.run(out),
        Verb::Watch(watch) => watch.run(global, out),
        Verb::Verify(verify) => verify.run(global, out),
        Verb::Repair(repair) => repair.run(global, out),
        Verb::Scrub(scrub) => scrub.run(global, out),
        Verb::Export(export) => export.run(global, out),
        Verb::Import(import) => import.run(global, out),
        Verb::Doctor(doctor) => doctor.run(global, out),
        Verb::Stats(stats) => stats.run(global, out),
        Verb::Report(report) => report.run(global, out),
        Verb::Hermes(verb) => verb.run(out),
        Verb::Completions(completions) => completions.run(out),
        Verb::Man(man) => man.run(out),
        Verb::DemoWriter(writer) => writer.run(global),
        Verb::DemoBot(bot) => bot.run(global),
    }
}

/// The command as users see it: without verbs that only the program itself calls. Completions would
/// offer them though they are hidden, and clap can take none away.
pub(crate) fn visible() -> Command {
    let whole = Cli::command();
    let shown = whole.get_subcommands().filter(|verb| !verb.is_hide_set());
    let mut command = Global::augment_args(Command::new("dalsegno"))
        .version(env!("CARGO_PKG_VERSION"))
        .subcommands(shown.cloned())
        .subcommand_required(true)
        .disable_help_subcommand(true);
    if let Some(about) = whole.get_about() {
        command = command.about(about.clone());
    }
    if let Some(about) = whole.get_long_about() {
        command = command.long_about(about.clone());
    }
    match whole.get_after_help() {
        Some(after) => command.after_help(after.clone()),
        None => command,
    }
}

/// Prints what `--help` or `--version` asked for.
pub(crate) fn help(asked: &clap::Error) -> ExitCode {
    match asked.print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Whether the arguments ask for JSON, also where they cannot be read.
pub(crate) fn asks_for_json(arguments: &[OsString]) -> bool {
    let options = arguments.iter().take_while(|argument| *argument != "--");
    options.into_iter().any(|argument| argument == "--json")
}
