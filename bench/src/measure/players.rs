//! The players of a bot, captured: 1,000 of 200 tracks each, against `create_snapshot` and `save_snapshot` of py-sonora.
//!
//! The script measures itself: `bench/python/players.py`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use dalsegno::{Engine, Save, Ticket};
use dalsegno_scripted::Node;
use dalsegno_sonora::lavalink::{Address, Password};
use dalsegno_sonora::{Client, Options, Player, Track, Why};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Plan;
use super::cpu::{Spent, spent};
use super::rounds::median;
use crate::peer::python;
use crate::report::{Cell, Findings, Table};
use crate::workload::Document;
use crate::workload::player::QueueState;
use crate::workload::queue::QueueDay;

const SCRIPT: &str = include_str!("../../python/players.py");

/// Different states that players are made of in turn.
const DIFFERENT: u64 = 20;

/// What the script says: seconds for all players, and bytes of their files.
#[derive(Debug, Deserialize)]
struct Outcome {
    create_wall: f64,
    create_cpu: f64,
    wall: f64,
    cpu: f64,
}

/// What one capture of all players took: their documents, and with the durable commit.
struct Taken {
    documents: Spent,
    all: Spent,
}

/// Both on players of the same queues.
pub fn run(plan: &Plan) -> Result<Findings> {
    let count = if plan.quick { 100 } else { 1_000 };
    let rounds = plan.tick_rounds() + 1;
    let states: Vec<QueueState> = (0..DIFFERENT)
        .filter_map(|n| QueueDay::with(plan.seed + n, 200, 1).next())
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let taken = runtime.block_on(ours(&states, count, rounds))?;
    let theirs = theirs(&states, count, rounds)?;
    report(&taken, &theirs, count)
}

/// One capture after the other; the first is of players that were never saved.
async fn ours(states: &[QueueState], count: u64, rounds: usize) -> Result<Vec<Taken>> {
    let node = Node::start(dalsegno_scripted::Options::default())?;
    let address = Address::new("127.0.0.1", node.port(), Password::new(node.password()));
    let client = Client::start(Options::new(1).node("main", address)).await?;
    for guild in 0..count {
        let index = usize::try_from(guild)? % states.len();
        let state = states.get(index).context("there are states")?;
        fill(&client.get_player(guild), state)?;
    }
    let players = client.players();
    let folder = tempfile::tempdir()?;
    let engine = Engine::create(folder.path().join("store.db"))?;
    let mut taken = Vec::new();
    for round in 0..rounds {
        let (documents, making) = spent(|| {
            let documents = players.iter().map(|player| Ok(player.document()?));
            documents.collect::<Result<Vec<_>>>()
        })?;
        let ((), saving) = spent(|| {
            let named = players.iter().zip(documents);
            let saves: Vec<Save<'_>> = named
                .map(|(player, document)| {
                    engine.save_document(&format!("sonora/{}", player.guild()), document)
                })
                .collect();
            let tickets: Vec<Ticket> = engine.submit_together(saves);
            for ticket in tickets {
                ticket.wait()?;
            }
            Ok(())
        })?;
        taken.push(Taken {
            documents: making,
            all: [making, saving].into_iter().sum(),
        });
        change(&players, round)?;
    }
    let back: Value = engine.restore("sonora/0@latest")?.to()?;
    let upcoming = back["queue"]["upcoming"].as_array().map(Vec::len);
    ensure!(upcoming.is_some_and(|len| len > 150), "a queue was lost");
    engine.close()?;
    Ok(taken)
}

fn fill(player: &Player, state: &QueueState) -> Result<()> {
    let track = |track: &crate::workload::track::Track| -> Result<Track> {
        let mut stored = serde_json::to_value(&track.info)?;
        stored["track"] = json!(track.encoded);
        Ok(serde_json::from_value(stored)?)
    };
    let all = |tracks: &[crate::workload::track::Track]| {
        tracks.iter().map(track).collect::<Result<Vec<Track>>>()
    };
    let (upcoming, history) = (all(&state.queue.upcoming)?, all(&state.queue.history)?);
    let current = state.queue.current.as_ref().map(track).transpose()?;
    player.edit(None, |state| {
        state.queue.upcoming = upcoming.into_iter().collect();
        state.queue.history = history.into_iter().collect();
        state.queue.current = current;
        Ok(())
    })?;
    Ok(())
}

/// A minute later every player is another, and every third has gone on to its next track.
fn change(players: &[Player], round: usize) -> Result<()> {
    let volume = u16::try_from(round)?;
    for (index, player) in players.iter().enumerate() {
        player.edit(None, |state| {
            state.volume = volume;
            if index % 3 == 0 {
                state.queue.advance(Why::Finished);
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn theirs(states: &[QueueState], count: u64, rounds: usize) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("states.jsonl");
    write(&input, states)?;
    let (count, rounds) = (count.to_string(), rounds.to_string());
    let arguments = [
        input.as_os_str(),
        folder.path().as_os_str(),
        count.as_ref(),
        rounds.as_ref(),
    ];
    python::measured(SCRIPT, &arguments, "py-sonora==1.2.8 cryptography")
}

fn write(path: &Path, states: &[QueueState]) -> Result<()> {
    let mut lines = BufWriter::new(File::create(path)?);
    for state in states {
        lines.write_all(&state.compact())?;
        lines.write_all(b"\n")?;
    }
    lines.into_inner().map_err(|e| e.into_error())?;
    Ok(())
}

fn report(taken: &[Taken], theirs: &Outcome, count: u64) -> Result<Findings> {
    let (first, later) = taken.split_first().context("no rounds were run")?;
    let columns = ["all players, clock", "CPU", "times less CPU"];
    let title = format!("{count} players of 200 tracks captured");
    let mut table = Table::new("players", title, &columns);
    table.note(
        "between captures every player changes, and every third goes on to its next track; medians of the captures \
         after the first; Dalsegno's is durable when it returns, and restores every track",
    );
    table.note(
        "py-sonora's save_snapshot writes a file for each player without fsync, so that it is not durable, and its \
         restore_snapshot restores no tracks; a file has no more than the last 50 tracks of the history",
    );
    let middle = |of: fn(&Taken) -> Spent| median(&later.iter().map(of).collect::<Vec<_>>());
    let seconds = |wall: f64, cpu: f64| Spent {
        cpu_us: cpu * 1e6,
        wall_us: wall * 1e6,
    };
    let rows = [
        (
            "Dalsegno: Player::document of each",
            middle(|it| it.documents),
        ),
        (
            "Dalsegno: the same, and one durable commit",
            middle(|it| it.all),
        ),
        ("Dalsegno: the first one, of players never saved", first.all),
        (
            "py-sonora: create_snapshot of each",
            seconds(theirs.create_wall, theirs.create_cpu),
        ),
        (
            "py-sonora: create_snapshot, save_snapshot",
            seconds(theirs.wall, theirs.cpu),
        ),
    ];
    for (name, spent) in rows {
        let cells = [
            Cell::Micros(spent.wall_us),
            Cell::Micros(spent.cpu_us),
            Cell::Times(theirs.cpu * 1e6 / spent.cpu_us),
        ];
        table.row(name, cells);
    }
    let mut findings = Findings::default();
    findings.tables.push(table);
    Ok(findings)
}
