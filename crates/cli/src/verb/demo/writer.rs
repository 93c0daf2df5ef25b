//! The program that is killed: it goes on with the evening and says of each save when it begins and
//! when it is acknowledged.

use std::io::{self, Write};

use clap::Args;

use super::evening::Evening;
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::place::Place;

/// Save the demo's sessions until killed
#[derive(Debug, Args)]
pub(crate) struct DemoWriter {
    /// The step of the evening to go on from
    #[arg(long)]
    step: u32,
}

impl DemoWriter {
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let engine = Place::open(global)?;
        let mut evening = Evening::after(self.step)?;
        // Nobody needs to hear of it if the reader is gone: then the demo is over.
        let said = |result: io::Result<()>| result.map_err(|e| Failure::io("telling the demo", e));
        let mut out = io::stdout().lock();
        loop {
            evening.step()?;
            for who in evening.changed() {
                let text = evening.text(who);
                let what = format!("{} {}", evening.steps(), who.session());
                said(writeln!(out, "saving {what}").and_then(|()| out.flush()))?;
                let saved = engine.save_json(who.session(), text).commit()?;
                said(writeln!(out, "saved {what} {}", saved.id).and_then(|()| out.flush()))?;
            }
        }
    }
}
