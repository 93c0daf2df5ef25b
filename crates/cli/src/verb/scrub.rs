//! `dalsegno scrub`: proves the store again and again, at a set rate.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use dalsegno::{Damage, ErrorKind, Scrub as How, ScrubProgress};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::interrupt::Polite;
use crate::output::Out;
use crate::place::Place;
use crate::{human, style};

/// How often it is looked whether there is news.
const LOOK: Duration = Duration::from_millis(100);

/// Prove the whole store again and again, at a set rate
///
/// As `verify`, but slowly, one session at a time, so that nothing else is held up, and round after round until Ctrl-C. Each
/// damage is told when it is found, once; hooks are told too. With --once, exit code 6 if anything is damaged, and 130 where Ctrl-C
/// came before the end of the round.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno scrub --rate 1MB/s
  dalsegno scrub --once --rate 0 --json")]
pub(crate) struct Scrub {
    /// At most so many bytes in a second, such as 500KB/s or 10MB/s; 0 is as fast as it goes
    #[arg(long, value_name = "RATE", default_value = "10MB/s", value_parser = rate)]
    rate: u64,
    /// One round
    #[arg(long)]
    once: bool,
}

impl Scrub {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Arc::new(Place::open(global)?);
        let polite = Polite::begin();
        let how = How::default().rate(self.rate);
        let scrubbing = engine.scrub(if self.once { how.once() } else { how })?;
        let mut told: Vec<Damage> = Vec::new();
        let mut rounds = 0;
        let last = loop {
            let seen = scrubbing.wait_for(LOOK);
            for damage in seen.damage.iter().filter(|it| !told.contains(it)) {
                if out.is_json() {
                    out.json(damage)?;
                } else {
                    out.line(super::verify::describe(damage))?;
                }
            }
            told.clone_from(&seen.damage);
            if seen.rounds > rounds && !out.is_json() {
                rounds = seen.rounds;
                out.line(round(&seen))?;
            }
            if seen.ended {
                break seen;
            }
            // A round that somebody asked for is no round before its end.
            if Polite::asked() || (out.is_closed() && !self.once) {
                break scrubbing.stop();
            }
        };
        drop(polite);
        if out.is_json() {
            out.json(&last)?;
        } else if last.rounds == 0 || last.sessions < last.of {
            out.note(format!(
                "stopped at {} of {}, {} proved",
                last.sessions,
                human::count(last.of, "session"),
                human::size(last.bytes)
            ));
        }
        if let Some(error) = last.error {
            return Err(error.into());
        }
        if self.once && !last.damage.is_empty() {
            let message = "the store is damaged; `dalsegno repair` repairs what it can";
            return Err(Failure::new(ErrorKind::Damaged, message));
        }
        if self.once && last.rounds == 0 {
            return Err(Failure::interrupted());
        }
        Ok(())
    }
}

fn round(seen: &ScrubProgress) -> String {
    let proved = format!(
        "{} proved, {}",
        human::count(seen.rounds, "round"),
        human::size(seen.bytes)
    );
    match seen.damage.len() {
        0 => {
            let said = super::verify::intact(seen.snapshots, seen.repaired, false);
            format!("{said}: {proved}")
        }
        many => {
            let many = u64::try_from(many).unwrap_or(u64::MAX);
            format!(
                "{}: {proved}, {}",
                style::bad("damaged"),
                human::count(many, "damage")
            )
        }
    }
}

/// Reads a rate in bytes per second.
fn rate(text: &str) -> std::result::Result<u64, String> {
    let size = text.trim().trim_end_matches("/s");
    dalsegno_config::size(size)
        .map_err(|_| format!("'{text}' is no rate; write 500KB/s, 10MB/s, or 0"))
}
