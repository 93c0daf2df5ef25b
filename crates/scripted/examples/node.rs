//! A scripted node for tests in other languages: it prints its port, takes one command as JSON in each line of its
//! input, and answers each with a line of JSON. It ends with its input.

use std::io::{self, BufRead, Write};

use dalsegno_scripted::{End, Event, Fault, Heard, Node, Options, PlayerView, Rule, Sound};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let mut node = Node::start(Options {
        port: port.unwrap_or(0),
        ..Options::default()
    })?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{}",
        json!({"port": node.port(), "password": node.password()})
    )?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let answer = answer(&mut node, &asked);
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(node: &mut Node, asked: &Value) -> Value {
    let guild = asked["guild"].as_u64().unwrap_or(0);
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    match text("do") {
        "player" => node.player(guild).as_ref().map_or(Value::Null, player),
        "heard" => node.heard(guild).iter().map(heard).collect(),
        "requests" => {
            let seen = node.requests();
            let seen = seen
                .iter()
                .map(|it| json!({"method": it.method, "path": it.path, "body": it.body}));
            seen.collect()
        }
        "sessions" => {
            let sessions = node.sessions();
            let sessions = sessions
                .iter()
                .map(|it| json!({"id": it.id, "open": it.open, "players": it.players}));
            sessions.collect()
        }
        "raise" => json!(event(asked).is_some_and(|event| node.raise(guild, event))),
        "fault" => match fault(asked) {
            Some(fault) => {
                let mut rule = Rule::new(fault);
                if asked["path"].is_string() {
                    rule = rule.on(text("method"), text("path"));
                }
                if let Some(times) = number(&asked["times"]) {
                    rule = rule.times(times);
                }
                node.script(rule);
                json!(true)
            }
            None => json!(false),
        },
        "no_faults" => {
            node.unscript();
            json!(true)
        }
        "oddity" => {
            let on = asked["on"].as_bool().unwrap_or(true);
            let mut known = true;
            node.set_oddities(|oddities| match text("name") {
                "track_dropped" => oddities.track_dropped = on,
                "plays_though_paused" => oddities.plays_though_paused = on,
                "user_data_lost" => oddities.user_data_lost = on,
                _ => known = false,
            });
            json!(known)
        }
        "drop_socket" => json!(node.drop_socket(text("session"))),
        "kill" => {
            node.kill();
            json!(true)
        }
        other => json!({"error": format!("there is no command {other:?}")}),
    }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn event(asked: &Value) -> Option<Event> {
    Some(match asked["event"].as_str()? {
        "finished" => Event::End(End::Finished),
        "exception" => Event::Exception("scripted".to_owned()),
        "stuck" => Event::Stuck(10_000),
        "voice_closed" => Event::VoiceClosed(4014),
        _ => return None,
    })
}

fn fault(asked: &Value) -> Option<Fault> {
    Some(match asked["fault"].as_str()? {
        "drop" => Fault::Drop,
        "lie" => Fault::Lie,
        "status" => Fault::Status(u16::try_from(asked["status"].as_u64()?).ok()?),
        _ => return None,
    })
}

fn player(view: &PlayerView) -> Value {
    json!({
        "session": view.session, "identifier": view.identifier, "position": view.position, "volume": view.volume,
        "paused": view.paused, "filters": view.filters, "connected": view.connected,
    })
}

fn heard(heard: &Heard) -> Value {
    match &heard.sound {
        Sound::Started {
            identifier,
            position,
        } => json!(["started", identifier, position]),
        Sound::Sought { from, to } => json!(["sought", from, to]),
        Sound::Volume(volume) => json!(["volume", volume]),
        Sound::Filters(filters) => json!(["filters", filters]),
        Sound::Stopped => json!(["stopped"]),
        Sound::Ended => json!(["ended"]),
        Sound::Paused => json!(["paused"]),
        Sound::Unpaused => json!(["unpaused"]),
        Sound::Connected => json!(["connected"]),
        Sound::Disconnected => json!(["disconnected"]),
    }
}
