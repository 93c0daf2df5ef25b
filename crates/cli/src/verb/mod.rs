//! The verbs, one file each.

pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod snapshot;
pub(crate) mod verify;

use crate::args::{Cli, Verb};
use crate::failure::Result;
use crate::output::Out;

/// Does what was asked.
pub(crate) fn run(cli: &Cli, out: &mut Out) -> Result<()> {
    let global = &cli.global;
    match &cli.verb {
        Verb::Demo(demo) => demo.run(global, out),
        Verb::Init(init) => init.run(global, out),
        Verb::Snapshot(verb) => verb.run(global, out),
        Verb::Verify(verify) => verify.run(global, out),
        Verb::Export(export) => export.run(global, out),
        Verb::Import(import) => import.run(global, out),
        Verb::Doctor(doctor) => doctor.run(global, out),
        Verb::DemoWriter(writer) => writer.run(global),
    }
}
