//! The health check: whether a running server answers PING.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::config::flags::PingTarget;

/// A server that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the server; the error is a sentence.
pub fn ping(target: &PingTarget) -> Result<(), String> {
    let (name, answer) = match &target.unixsocket {
        Some(path) => (path.clone(), ask_unix(path)),
        None => (format!("{}:{}", target.host, target.port), ask_tcp(&target.host, target.port)),
    };
    match answer {
        Err(error) => Err(format!("{name} does not answer: {error}")),
        Ok(line) if is_alive(&line) => Ok(()),
        Ok(line) => Err(format!("{name} answers {:?}", String::from_utf8_lossy(&line))),
    }
}

/// One that asks for a password is as alive as one that does not.
fn is_alive(line: &[u8]) -> bool {
    line.starts_with(b"+PONG") || line.starts_with(b"-NOAUTH")
}

fn ask_unix(path: &str) -> io::Result<Vec<u8>> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    ask(stream)
}

fn ask_tcp(host: &str, port: u16) -> io::Result<Vec<u8>> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return ask(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The first line of the answer, or as much of it as comes.
fn ask(mut stream: impl Read + Write) -> io::Result<Vec<u8>> {
    stream.write_all(b"*1\r\n$4\r\nPING\r\n")?;
    let mut line = Vec::new();
    let mut piece = [0; 128];
    while !line.contains(&b'\n') && line.len() < 1024 {
        match stream.read(&mut piece)? {
            0 => break,
            length => line.extend_from_slice(&piece[..length]),
        }
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn asked(answer: &'static [u8]) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 14];
            stream.read_exact(&mut request).unwrap();
            assert_eq!(&request, b"*1\r\n$4\r\nPING\r\n");
            stream.write_all(answer).unwrap();
        });
        let result = ping(&PingTarget { host: "localhost".to_owned(), port, unixsocket: None });
        server.join().unwrap();
        result
    }

    #[test]
    fn the_living_are_told_from_the_dead() {
        assert_eq!(asked(b"+PONG\r\n"), Ok(()));
        assert_eq!(asked(b"-NOAUTH Authentication required.\r\n"), Ok(()));
        assert!(asked(b"").unwrap_err().contains("answers \"\""));
        assert!(asked(b"HTTP/1.1 400 Bad Request\r\n").unwrap_err().contains("HTTP"));
        let nobody = PingTarget { host: String::new(), port: 0, unixsocket: Some("/nonexistent/socket".to_owned()) };
        assert!(ping(&nobody).unwrap_err().contains("does not answer"));
    }
}
