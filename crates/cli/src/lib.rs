//! The command-line programs: one file per verb, named as users type it, in `verb/`.
//!
//! A verb reads its arguments, asks the engine, and writes the answer twice: as text for people, as
//! JSON for programs. What the engine refuses becomes a message and an exit code in one place,
//! `failure`.

mod args;
mod failure;
mod global;
mod hooked;
mod human;
mod input;
mod interrupt;
mod output;
mod place;
mod program;
mod progress;
mod style;
mod table;
mod verb;
mod when;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::failure::Failure;
use crate::output::Out;

/// The `dalsegno` program, from its arguments to its exit code.
#[must_use]
pub fn dalsegno() -> ExitCode {
    interrupt::watch();
    let arguments: Vec<_> = std::env::args_os().collect();
    let (json, result) = match Cli::try_parse_from(&arguments) {
        Ok(cli) => {
            let mut out = Out::new(cli.global.json);
            let done = args::run(&cli, &mut out).and_then(|()| out.finish());
            hooked::deliver();
            (cli.global.json, done)
        }
        Err(error) if !error.use_stderr() => return args::help(&error),
        Err(error) => (args::asks_for_json(&arguments), Err(Failure::from(error))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}
