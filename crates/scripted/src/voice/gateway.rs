//! One connection to the voice gateway, from Discord's side.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::MODES;
use super::endpoint::{Connection, Shared, Told};

/// Why a connection is closed, as Discord numbers it.
const UNKNOWN_OPCODE: u16 = 4001;
const NOT_JSON: u16 = 4002;
const NOT_AUTHENTICATED: u16 = 4003;
const WRONG_TOKEN: u16 = 4004;
const AUTHENTICATED_ALREADY: u16 = 4005;
const SESSION_INVALID: u16 = 4006;
const UNKNOWN_PROTOCOL: u16 = 4012;
const UNKNOWN_ENCRYPTION: u16 = 4016;

struct Gateway {
    shared: Arc<Shared>,
    audio: SocketAddr,
    tell: UnboundedSender<Told>,
    /// The guild and the number of whoever is known.
    known: Option<(u64, u32)>,
}

pub(super) async fn serve(stream: TcpStream, audio: SocketAddr, shared: Arc<Shared>) {
    let mut is_newest = false;
    #[allow(clippy::result_large_err, reason = "the form of it is the library's")]
    let look = |request: &Request, response: Response| {
        let query = request.uri().query().unwrap_or_default();
        is_newest = query.split('&').any(|it| it == "v=8");
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, look).await else {
        return;
    };
    let (tell, told) = unbounded_channel();
    let mut gateway = Gateway {
        shared,
        audio,
        tell,
        known: None,
    };
    let code = match is_newest {
        true => gateway.run(&mut socket, told).await,
        false => Some(UNKNOWN_PROTOCOL),
    };
    gateway.leave();
    if let Some(code) = code {
        let frame = CloseFrame {
            code: code.into(),
            reason: "Scripted".into(),
        };
        // Whoever is gone needs no farewell.
        let _gone = socket.close(Some(frame)).await;
        while let Some(Ok(_)) = socket.next().await {}
    }
}

impl Gateway {
    /// Until the connection ends: with a code where it is to be closed.
    async fn run(
        &mut self,
        socket: &mut WebSocketStream<TcpStream>,
        mut told: UnboundedReceiver<Told>,
    ) -> Option<u16> {
        let hello = json!({"op": 8, "d": {"v": 8, "heartbeat_interval": 13_750.0}});
        socket.send(Message::text(hello.to_string())).await.ok()?;
        loop {
            let text = tokio::select! {
                told = told.recv() => match told {
                    Some(Told::Close(code)) => return Some(code),
                    Some(Told::Cut) | None => return None,
                },
                heard = socket.next() => match heard {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Binary(_))) => return Some(NOT_JSON),
                    Some(Ok(Message::Close(_) | Message::Frame(_)) | Err(_)) | None => return None,
                },
            };
            let Ok(message) = serde_json::from_str::<Value>(&text) else {
                return Some(NOT_JSON);
            };
            match self.answer(message["op"].as_u64(), &message["d"]) {
                Ok(None) => {}
                Ok(Some(answer)) => socket.send(Message::text(answer.to_string())).await.ok()?,
                Err(code) => return Some(code),
            }
        }
    }

    fn answer(&mut self, op: Option<u64>, data: &Value) -> Result<Option<Value>, u16> {
        let answer = match (op, self.known) {
            (Some(0 | 7), Some(_)) => return Err(AUTHENTICATED_ALREADY),
            (Some(0), None) => {
                let ssrc = self.identify(data, false)?;
                json!({"op": 2, "d": {"ssrc": ssrc, "ip": self.audio.ip().to_string(), "port": self.audio.port(),
                    "modes": MODES, "experiments": []}})
            }
            (Some(7), None) => {
                self.identify(data, true)?;
                json!({"op": 9, "d": null})
            }
            (Some(3), _) => json!({"op": 6, "d": {"t": data["t"]}}),
            (Some(_), None) => return Err(NOT_AUTHENTICATED),
            (Some(1), Some((guild, ssrc))) => self.select(data, guild, ssrc)?,
            (Some(5), Some(_)) => return Ok(None),
            _ => return Err(UNKNOWN_OPCODE),
        };
        Ok(Some(answer))
    }

    fn identify(&mut self, data: &Value, resumes: bool) -> Result<u32, u16> {
        let text = |name: &str| data[name].as_str().unwrap_or_default();
        let guild = text("server_id").parse().map_err(|_| SESSION_INVALID)?;
        let mut state = self.shared.lock();
        let ssrc = state.number();
        let issued = state.issued.get_mut(&guild).ok_or(SESSION_INVALID)?;
        if issued.server.session_id != text("session_id") {
            return Err(SESSION_INVALID);
        }
        if issued.server.token != text("token") {
            return Err(WRONG_TOKEN);
        }
        if resumes && !issued.joined {
            return Err(SESSION_INVALID);
        }
        let connection = Connection {
            ssrc,
            tell: self.tell.clone(),
        };
        if let Some(earlier) = issued.connection.replace(connection) {
            // One that is gone already needs no closing.
            drop(earlier.tell.send(Told::Close(SESSION_INVALID)));
        }
        self.known = Some((guild, ssrc));
        Ok(ssrc)
    }

    fn select(&self, data: &Value, guild: u64, ssrc: u32) -> Result<Value, u16> {
        let mode = data["data"]["mode"].as_str().unwrap_or_default();
        if data["protocol"] != "udp" {
            return Err(UNKNOWN_PROTOCOL);
        }
        if !MODES.contains(&mode) {
            return Err(UNKNOWN_ENCRYPTION);
        }
        let mut state = self.shared.lock();
        let says = |it: &SocketAddr| {
            data["data"]["address"] == it.ip().to_string() && data["data"]["port"] == it.port()
        };
        if !state.discovered.get(&ssrc).is_some_and(says) {
            return Err(UNKNOWN_PROTOCOL);
        }
        if let Some(issued) = state.issued.get_mut(&guild) {
            issued.joined = true;
        }
        let key: Vec<u8> = (0..32).collect();
        Ok(
            json!({"op": 4, "seq": 1, "d": {"mode": mode, "secret_key": key, "audio_codec": "opus",
            "video_codec": null, "media_session_id": "scripted", "dave_protocol_version": 0}}),
        )
    }

    fn leave(&self) {
        let Some((guild, ssrc)) = self.known else {
            return;
        };
        if let Some(issued) = self.shared.lock().issued.get_mut(&guild)
            && issued.connection.as_ref().is_some_and(|it| it.ssrc == ssrc)
        {
            issued.connection = None;
        }
    }
}
