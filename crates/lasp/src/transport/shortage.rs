//! When the system has nothing left to give: descriptors, ports. What is said about it, and how somebody who cannot be let in
//! is told so all the same.

use super::framing::{Kind, PREFACE, write_control};
use super::hello::{Reason, Refusal};
use socket2::{SockRef, Socket};
use std::io;
use std::net::Shutdown;
use tokio::net::{TcpListener, TcpStream};

/// This process may open no more files (POSIX `EMFILE`).
const PROCESS_LIMIT: i32 = 24;

/// The system may open no more files (POSIX `ENFILE`).
const SYSTEM_LIMIT: i32 = 23;

/// Whether descriptors have run out, which may pass.
pub(super) fn of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(PROCESS_LIMIT | SYSTEM_LIMIT))
}

/// What the system says, and what to do about it if something has run out.
pub(crate) fn explained(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(PROCESS_LIMIT) => format!("{error}: this process may open no more; raise its limit (ulimit -n)"),
        Some(SYSTEM_LIMIT) => format!("{error}: the system may open no more; raise its limit (sysctl fs.file-max)"),
        _ if error.kind() == io::ErrorKind::AddrNotAvailable => format!(
            "{error}: there is no free port or no address here to connect from; widen the range of ports \
             (sysctl net.ipv4.ip_local_port_range) or end what uses them up"
        ),
        _ => error.to_string(),
    }
}

/// A descriptor kept for the time when there is none left: given up for a moment, it lets somebody in who is told that there is
/// no room. Without it they would wait in the system's queue and learn nothing.
#[derive(Debug)]
pub(super) struct Spare(Option<Socket>);

impl Spare {
    /// One that costs a descriptor; none if there is none even now.
    pub(super) fn keep(listener: &TcpListener) -> Self {
        Self(SockRef::from(listener).try_clone().ok())
    }

    /// Frees the descriptor; whether there was one.
    pub(super) fn give_up(&mut self) -> bool {
        self.0.take().is_some()
    }
}

/// Tells somebody that there is no room, as far as that goes without waiting, and closes.
pub(super) fn turn_away(stream: &TcpStream) {
    let mut bytes = PREFACE.to_vec();
    let refusal =
        Refusal::new(Reason::Busy, "this node has no file descriptors left; try again, or another node", None);
    write_control(&mut bytes, Kind::Refuse, &refusal.to_bytes());
    let socket = SockRef::from(stream);
    let _ = socket.send(&bytes);
    let _ = socket.shutdown(Shutdown::Write);
    // What came already is read: a socket closed with bytes unread is reset, and the refusal might be lost with it.
    let mut sink = [0; 1024];
    while matches!(io::Read::read(&mut &*socket, &mut sink), Ok(read) if read > 0) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_run_out_is_named_with_what_to_do() {
        let said = |code| explained(&io::Error::from_raw_os_error(code));
        assert!(said(PROCESS_LIMIT).ends_with("raise its limit (ulimit -n)"), "{}", said(PROCESS_LIMIT));
        assert!(said(SYSTEM_LIMIT).contains("fs.file-max"), "{}", said(SYSTEM_LIMIT));
        let ports = explained(&io::ErrorKind::AddrNotAvailable.into());
        assert!(ports.contains("net.ipv4.ip_local_port_range"), "{ports}");
        let refused: io::Error = io::ErrorKind::ConnectionRefused.into();
        assert_eq!(explained(&refused), refused.to_string());
    }

    #[tokio::test]
    async fn who_is_turned_away_reads_why() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut spare = Spare::keep(&listener);
        assert!(spare.give_up() && !spare.give_up());
        let dialer = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("a listener");
        let (stream, _) = listener.accept().await.expect("a dialer");
        stream.writable().await.expect("connected");
        turn_away(&stream);
        drop(stream);
        dialer.readable().await.expect("connected");
        let mut bytes = [0; 512];
        let read = dialer.try_read(&mut bytes).expect("a refusal");
        assert!(String::from_utf8_lossy(&bytes[..read]).contains("no file descriptors left"));
    }
}
