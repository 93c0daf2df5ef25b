//! `cargo run --release -p dalsegno-bench -- [p1|p2|p3|p4|p5|p6|p7|p8|p9|diff|retention|pause|watch|players|trust|backup|all] [--seed N] [--quick] [--json FILE]`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use dalsegno_bench::machine::Machine;
use dalsegno_bench::measure::{self, Measure, Plan};
use dalsegno_bench::report::Report;

/// Workloads and peers, side by side in one run.
#[derive(Debug, Parser)]
#[command(name = "dalsegno-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
struct Options {
    /// The seed of all workloads
    #[arg(long, default_value_t = 1, global = true)]
    seed: u64,
    /// Shorter workloads and fewer rounds, to see that everything runs
    #[arg(long, global = true)]
    quick: bool,
    /// Also write the report as JSON
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// The date in the report, instead of the system's
    #[arg(long, global = true)]
    date: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
enum Wanted {
    /// Bytes for a day of auto-saves
    P1,
    /// CPU to turn a document into bytes
    P2,
    /// 10,000 sessions in one durable tick
    P3,
    /// Restoring
    P4,
    /// Snapshots in memory to roll back to
    P5,
    /// Counting the messages of session files
    P6,
    /// Looking up among many snapshots
    P7,
    /// A chat's checkpoints through Python
    P8,
    /// Saving as the unchanged part grows
    P9,
    /// Comparing neighbours as the unchanged part grows
    Diff,
    /// A year of snapshots thinned
    Retention,
    /// How long a save keeps the program's own thread while the disk is slow
    Pause,
    /// A folder of session files that is written to for a minute
    Watch,
    /// 1,000 players captured
    Players,
    /// What encryption costs
    Trust,
    /// A backup of many sessions, and restoring it
    Backup,
    /// Everything (the default)
    All,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Wanted(Wanted),
    /// Write the example sessions
    #[command(hide = true)]
    MakeExamples {
        /// The folder to write into
        folder: PathBuf,
    },
    /// Take snapshots of a game in a process of its own and print the memory they took
    #[command(hide = true)]
    P5Memory {
        /// How the snapshots are kept
        way: String,
        /// Entries of the game
        entries: usize,
    },
    /// Watch a folder in a process of its own and print what that took
    #[command(hide = true)]
    WatchChild {
        /// The store
        store: PathBuf,
        /// The folder
        folder: PathBuf,
    },
}

impl Wanted {
    fn measures(self) -> Vec<(&'static str, Measure)> {
        let name = match self {
            Self::P1 => "p1",
            Self::P2 => "p2",
            Self::P3 => "p3",
            Self::P4 => "p4",
            Self::P5 => "p5",
            Self::P6 => "p6",
            Self::P7 => "p7",
            Self::P8 => "p8",
            Self::P9 => "p9",
            Self::Diff => "diff",
            Self::Retention => "retention",
            Self::Pause => "pause",
            Self::Watch => "watch",
            Self::Players => "players",
            Self::Trust => "trust",
            Self::Backup => "backup",
            Self::All => return measure::ALL.to_vec(),
        };
        let mut all = measure::ALL.to_vec();
        all.retain(|(known, _)| *known == name);
        all
    }
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let wanted = match cli.command {
        Some(Command::MakeExamples { folder }) => return dalsegno_bench::examples::write(&folder),
        Some(Command::P5Memory { way, entries }) => {
            println!(
                "{}",
                measure::p5::memory::child(cli.options.seed, &way, entries)?
            );
            return Ok(());
        }
        Some(Command::WatchChild { store, folder }) => {
            return measure::watch::watcher::child(&store, folder);
        }
        Some(Command::Wanted(wanted)) => wanted,
        None => Wanted::All,
    };
    run(wanted, &cli.options)
}

fn run(wanted: Wanted, options: &Options) -> Result<()> {
    let plan = Plan {
        seed: options.seed,
        quick: options.quick,
    };
    let today = || jiff::Zoned::now().strftime("%Y-%m-%d").to_string();
    let mut report = Report {
        date: options.date.clone().unwrap_or_else(today),
        machine: Machine::here(),
        seed: plan.seed,
        quick: plan.quick,
        tables: Vec::new(),
        claims: Vec::new(),
    };
    println!("{}", report.head());
    for (name, measure) in wanted.measures() {
        eprintln!("measuring {name} …");
        let found = measure::run(measure, &plan)?;
        for table in &found.tables {
            println!("{}", table.print());
        }
        report.tables.extend(found.tables);
        report.claims.extend(found.claims);
    }
    println!("{}", report.verdict().print());
    if let Some(path) = &options.json {
        let json = serde_json::to_vec_pretty(&report)?;
        fs::write(path, json).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
