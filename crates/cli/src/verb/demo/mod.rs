//! `dalsegno demo`: an evening with three sessions, a mishap, a crash, and the proof.
//!
//! Everything that it says was measured or checked in this run; a check that fails ends it with an
//! error.

mod clock;
mod crash;
mod evening;
mod house;
mod look;
mod play;
mod proof;
mod put_back;
pub(crate) mod sonora;
mod travel;
pub(crate) mod writer;

use std::time::Instant;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::style;
use evening::STEPS;
use house::House;

/// See it work: an evening of three sessions, a mishap, a crash, the proof, a way back
///
/// Works in a new temporary store, which stays for you to try commands on; nothing else is touched.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno demo
  dalsegno demo --json | jq .cost
  dalsegno demo --store /tmp/evening
  dalsegno demo sonora")]
pub(crate) struct Demo {
    #[command(subcommand)]
    of: Option<Of>,
}

/// What else there is to see.
#[derive(Debug, Subcommand)]
enum Of {
    Sonora(sonora::Sonora),
}

impl Demo {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        if let Some(Of::Sonora(sonora)) = &self.of {
            return sonora.run(global, out);
        }
        let begun = Instant::now();
        let house = House::build(global)?;

        chapter(out, 1, "An evening, saved at each step")?;
        let mut played = play::play(&house, out)?;

        chapter(out, 2, "What is kept")?;
        look::last_few(&played, out)?;
        let old = look::old_state(&played, out)?;

        chapter(out, 3, "A mishap, and one component put back")?;
        let put_back = put_back::put_back(&house, &mut played, out)?;

        chapter(out, 4, "Killed in the middle of a save")?;
        let evening = played.facts.clone();
        let mut kept = played.close()?;
        let crash = crash::crash(&house.store, STEPS)?;

        let engine = house.open()?;
        let survived = proof::survived(&engine, &kept, &crash, out)?;
        kept.extend(crash.acknowledged().filter_map(proof::Kept::of));

        chapter(out, 5, "Everything is proved")?;
        let proved = proof::all(&engine, &kept, out)?;

        chapter(out, 6, "There and back")?;
        let travel = travel::there_and_back(&engine, out)?;
        let thinned = travel::thinned(&engine, out)?;
        engine.close()?;

        chapter(out, 7, "What it took")?;
        let cost = proof::cost(&house, begun, out)?;

        let commands = house.commands(&old.reference);
        if out.is_json() {
            return out.json(&json!({
                "store": house.store.display().to_string(),
                "evening": evening,
                "old_state": old,
                "restore": put_back,
                "crash": survived,
                "verification": proved,
                "travel": travel,
                "cleanup_plan": thinned,
                "cost": cost,
                "commands": commands,
            }));
        }
        out.line(format!(
            "\nThe store lies in {}. Try on it:\n",
            house.store.display()
        ))?;
        for command in commands {
            out.line(format!("  {command}"))?;
        }
        Ok(())
    }
}

fn chapter(out: &mut Out, number: u32, title: &str) -> Result<()> {
    if out.is_json() {
        return Ok(());
    }
    let space = if number == 1 { "" } else { "\n" };
    out.line(format!(
        "{space}{}",
        style::head(format!("{number}  {title}"))
    ))
}

/// A check of the demo: if it does not hold, the demo has failed.
fn check(holds: bool, claim: &str) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Failure::problem(format!(
            "the demo expected that {claim}, and it is not so"
        )))
    }
}
