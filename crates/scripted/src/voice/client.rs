//! A node's side of a voice connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{MODES, VoiceServer, discovery};
use crate::events::News;
use crate::options::Voice;
use crate::player::{Link, Player};
use crate::shared::Shared;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a connection that was cut, and not resumed, is closed with.
const CUT: u16 = 1006;

/// A connection of a player, and what it was joined with.
struct Voiced {
    shared: Arc<Shared>,
    session: String,
    guild: u64,
    user: u64,
    number: u64,
    server: VoiceServer,
    /// The number of the last message that has one.
    heard: i64,
}

/// How a connection ended.
enum Ended {
    Closed(u16, String),
    Cut,
}

/// Joins a voice channel, unless the player is in it with the same credentials. It returns when the connection is open;
/// the player is in the channel a moment later.
///
/// # Errors
/// Where nobody listens at the endpoint.
pub(crate) async fn join(
    shared: &Arc<Shared>,
    session: &str,
    guild: u64,
    server: &VoiceServer,
) -> Result<(), ()> {
    let (number, user) = {
        let mut state = shared.lock();
        let number = state.number();
        let user = state.open(session).map_or(0, |it| it.user);
        let trusted = shared.options.voice == Voice::Trusted;
        let joins = state.change(session, guild, |player, now| {
            if player.connected && player.voice.as_ref() == Some(server) {
                return false;
            }
            player.disconnect(now);
            player.voice = Some(server.clone());
            player.link = Some(Link { number, task: None });
            player.set_connected(trusted, now);
            player.news.push(News::Update);
            !trusted
        });
        if joins != Some(true) {
            return Ok(());
        }
        (number, user)
    };
    let socket = connect(server).await.ok_or(())?;
    let voiced = Voiced {
        shared: Arc::clone(shared),
        session: session.to_owned(),
        guild,
        user,
        number,
        server: server.clone(),
        heard: -1,
    };
    let task = tokio::spawn(voiced.hold(socket)).abort_handle();
    let mut task = Some(task);
    shared.lock().change(session, guild, |player, _| {
        if let Some(link) = player.link.as_mut().filter(|it| it.number == number) {
            link.task = task.take();
        }
    });
    // Another connection was made meanwhile.
    if let Some(task) = task {
        task.abort();
    }
    Ok(())
}

async fn connect(server: &VoiceServer) -> Option<Socket> {
    let url = format!("ws://{}/?v=8", server.endpoint);
    Some(connect_async(url).await.ok()?.0)
}

impl Voiced {
    async fn hold(mut self, mut socket: Socket) {
        let mut resumes = false;
        let (code, reason) = loop {
            let was_in = match self.run(&mut socket, resumes).await {
                Ended::Closed(code, reason) => break (code, reason),
                Ended::Cut => self.change(|player, now| {
                    let was_in = player.connected;
                    player.set_connected(false, now);
                    player.news.push(News::Update);
                    was_in
                }),
            };
            match (was_in, connect(&self.server).await) {
                (Some(true), Some(again)) => (socket, resumes) = (again, true),
                _ => break (CUT, "Cut".into()),
            }
        };
        self.change(|player, now| {
            player.link = None;
            player.set_connected(false, now);
            player.news.push(News::VoiceClosed {
                code,
                reason,
                by_remote: true,
            });
            player.news.push(News::Update);
        });
    }

    /// Changes the player, as long as this is its connection.
    fn change<T>(&self, change: impl FnOnce(&mut Player, u64) -> T) -> Option<T> {
        let mut state = self.shared.lock();
        let player = state
            .sessions
            .get(&self.session)
            .and_then(|it| it.players.get(&self.guild));
        let link = player.and_then(|it| it.link.as_ref());
        if link.is_none_or(|it| it.number != self.number) {
            return None;
        }
        state.change(&self.session, self.guild, change)
    }

    async fn run(&mut self, socket: &mut Socket, resumes: bool) -> Ended {
        let mut every: Option<tokio::time::Interval> = None;
        loop {
            let beat = async {
                match &mut every {
                    Some(every) => drop(every.tick().await),
                    None => std::future::pending().await,
                }
            };
            let answer = tokio::select! {
                () = beat => Some(json!({"op": 3, "d": {"t": self.shared.clock.now(), "seq_ack": self.heard}})),
                heard = socket.next() => match heard {
                    Some(Ok(Message::Text(text))) => {
                        let Ok(message) = serde_json::from_str::<Value>(&text) else {
                            return Ended::Cut;
                        };
                        if let Some(interval) = message["d"]["heartbeat_interval"].as_f64() {
                            let interval = Duration::from_millis((interval as u64).max(1));
                            every = Some(tokio::time::interval(interval));
                        }
                        self.answer(&message, resumes).await
                    }
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return Ended::Closed(frame.code.into(), frame.reason.to_string());
                    }
                    Some(Ok(Message::Close(None)) | Err(_)) | None => return Ended::Cut,
                    Some(Ok(_)) => None,
                },
            };
            let Some(answer) = answer else { continue };
            if socket
                .send(Message::text(answer.to_string()))
                .await
                .is_err()
            {
                return Ended::Cut;
            }
        }
    }

    async fn answer(&mut self, message: &Value, resumes: bool) -> Option<Value> {
        if let Some(number) = message["seq"].as_i64() {
            self.heard = number;
        }
        let data = &message["d"];
        match message["op"].as_u64()? {
            8 => {
                let mut who = json!({"server_id": self.guild.to_string(), "session_id": self.server.session_id,
                    "token": self.server.token});
                if resumes {
                    who["seq_ack"] = json!(self.heard);
                    return Some(json!({"op": 7, "d": who}));
                }
                who["user_id"] = json!(self.user.to_string());
                Some(json!({"op": 0, "d": who}))
            }
            2 => {
                let ssrc = data["ssrc"]
                    .as_u64()
                    .and_then(|it| u32::try_from(it).ok())?;
                let port = data["port"]
                    .as_u64()
                    .and_then(|it| u16::try_from(it).ok())?;
                let ip = data["ip"].as_str()?.parse().ok()?;
                let own = discovery::ask(SocketAddr::new(ip, port), ssrc).await.ok()?;
                let selected =
                    json!({"address": own.ip().to_string(), "port": own.port(), "mode": MODES[0]});
                Some(json!({"op": 1, "d": {"protocol": "udp", "data": selected}}))
            }
            4 | 9 => {
                self.change(|player, now| {
                    player.set_connected(true, now);
                    player.news.push(News::Update);
                });
                None
            }
            _ => None,
        }
    }
}
