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
mod key;
mod migrations;
mod output;
mod place;
mod private;
mod program;
mod progress;
mod sealed;
mod settings;
mod sonoractl;
mod style;
mod table;
mod token;
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
    program(
        "dalsegno",
        |cli: &Cli, out| args::run(cli, out),
        |cli| cli.global.json,
    )
}

/// The `sonoractl` program, from its arguments to its exit code.
#[must_use]
pub fn sonoractl() -> ExitCode {
    program("sonoractl", sonoractl::run, sonoractl::Cli::is_json)
}

fn program<C: Parser>(
    name: &'static str,
    run: impl FnOnce(&C, &mut Out) -> failure::Result<()>,
    is_json: impl FnOnce(&C) -> bool,
) -> ExitCode {
    program::called(name);
    let arguments: Vec<_> = std::env::args_os().collect();
    interrupt::watch(args::asks_for_json(&arguments));
    let (json, result) = match C::try_parse_from(&arguments) {
        Ok(cli) => {
            let json = is_json(&cli);
            let mut out = Out::new(json);
            let done = run(&cli, &mut out);
            let done = out.end(done);
            hooked::deliver();
            (json, done)
        }
        Err(error) if !error.use_stderr() => return args::help(&error),
        Err(error) => (args::asks_for_json(&arguments), Err(Failure::from(error))),
    };
    match result.map_err(token::explain) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}
