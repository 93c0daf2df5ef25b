//! How a client learns its own address: it asks over UDP, and is told where the question came from.

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

/// A packet: its kind, the length of what follows, the client's number, an address as text, a port.
const LENGTH: usize = 74;
const QUESTION: u16 = 1;
const ANSWER: u16 = 2;

fn packet(kind: u16, ssrc: u32, address: Option<SocketAddr>) -> [u8; LENGTH] {
    let mut packet = [0; LENGTH];
    packet[..2].copy_from_slice(&kind.to_be_bytes());
    packet[2..4].copy_from_slice(&70_u16.to_be_bytes());
    packet[4..8].copy_from_slice(&ssrc.to_be_bytes());
    if let Some(address) = address {
        let text = address.ip().to_string();
        packet[8..8 + text.len()].copy_from_slice(text.as_bytes());
        packet[72..].copy_from_slice(&address.port().to_be_bytes());
    }
    packet
}

/// The client's number and address; nothing where the packet is of another kind or form.
fn read(packet: &[u8], kind: u16) -> Option<(u32, Option<SocketAddr>)> {
    let packet: &[u8; LENGTH] = packet.try_into().ok()?;
    let [k0, k1, l0, l1, s0, s1, s2, s3, rest @ ..] = packet;
    if u16::from_be_bytes([*k0, *k1]) != kind || u16::from_be_bytes([*l0, *l1]) != 70 {
        return None;
    }
    let ssrc = u32::from_be_bytes([*s0, *s1, *s2, *s3]);
    let [text @ .., p0, p1] = rest;
    let text = text.split(|it| *it == 0).next()?;
    let ip = std::str::from_utf8(text)
        .ok()
        .and_then(|it| it.parse().ok());
    let address = ip.map(|ip| SocketAddr::new(ip, u16::from_be_bytes([*p0, *p1])));
    Some((ssrc, address))
}

/// Asks for the own address.
pub(super) async fn ask(server: SocketAddr, ssrc: u32) -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(server).await?;
    socket.send(&packet(QUESTION, ssrc, None)).await?;
    let mut answer = [0; LENGTH + 1];
    let length = socket.recv(&mut answer).await?;
    match read(answer.get(..length).unwrap_or_default(), ANSWER) {
        Some((same, Some(address))) if same == ssrc => Ok(address),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Answers whoever asks, and notes who did.
pub(super) async fn answer(socket: UdpSocket, asked: impl Fn(u32, SocketAddr)) {
    let mut packet_in = [0; LENGTH + 1];
    loop {
        // What fails is one packet, not the socket.
        let Ok((length, from)) = socket.recv_from(&mut packet_in).await else {
            continue;
        };
        let packet_in = packet_in.get(..length).unwrap_or_default();
        if let Some((ssrc, _)) = read(packet_in, QUESTION) {
            asked(ssrc, from);
            // Lost packets are part of UDP.
            let _lost = socket
                .send_to(&packet(ANSWER, ssrc, Some(from)), from)
                .await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_as_it_was_written() {
        let address: SocketAddr = "127.0.0.1:50004".parse().unwrap();
        let written = packet(ANSWER, 7, Some(address));
        assert_eq!(read(&written, ANSWER), Some((7, Some(address))));
        assert_eq!(read(&written, QUESTION), None);
        assert_eq!(read(&written[1..], ANSWER), None);
        assert_eq!(read(&packet(QUESTION, 7, None), QUESTION), Some((7, None)));
    }
}
