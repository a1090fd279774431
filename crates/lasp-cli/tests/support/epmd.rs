//! A port mapper daemon, as *Erlang Distribution Protocol* describes it, in a thread for each connection.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

type Names = Arc<Mutex<BTreeMap<String, u16>>>;

/// The daemon; it lives as long as the test's process.
pub(crate) struct StandIn {
    pub(crate) port: u16,
    names: Names,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let (port, names) = (listener.local_addr().expect("bound").port(), Names::default());
        let known = Arc::clone(&names);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let known = Arc::clone(&known);
                std::thread::spawn(move || serve(stream, port, &known));
            }
        });
        Self { port, names }
    }

    /// Who is registered, and where.
    pub(crate) fn names(&self) -> BTreeMap<String, u16> {
        self.names.lock().expect("unharmed").clone()
    }
}

/// Answers one request; a name is registered until its node hangs up.
fn serve(mut stream: TcpStream, own_port: u16, names: &Names) -> std::io::Result<()> {
    let mut len = [0; 2];
    stream.read_exact(&mut len)?;
    let mut request = vec![0; u16::from_be_bytes(len).into()];
    stream.read_exact(&mut request)?;
    let known = || names.lock().expect("unharmed");
    match request.first() {
        Some(120) => {
            let port = u16::from_be_bytes([request[1], request[2]]);
            let name_len = usize::from(u16::from_be_bytes([request[9], request[10]]));
            let name = String::from_utf8(request[11..11 + name_len].to_vec()).expect("text");
            known().insert(name.clone(), port);
            stream.write_all(&[118, 0, 0, 0, 0, 7])?;
            let _ = stream.read(&mut [0]);
            known().remove(&name);
            Ok(())
        }
        Some(122) => {
            let name = String::from_utf8(request[1..].to_vec()).expect("text");
            let Some(port) = known().get(&name).copied() else { return stream.write_all(&[119, 1]) };
            let name_len = (name.len() as u16).to_be_bytes();
            let [high, low] = port.to_be_bytes();
            let head = [119, 0, high, low, 77, 0, 0, 6, 0, 5, name_len[0], name_len[1]];
            stream.write_all(&[&head[..], name.as_bytes(), &[0, 0]].concat())
        }
        Some(110) => {
            let lines = known().iter().map(|(name, port)| format!("name {name} at port {port}\n")).collect::<String>();
            stream.write_all(&[&u32::from(own_port).to_be_bytes()[..], lines.as_bytes()].concat())
        }
        _ => Ok(()),
    }
}
