//! The physical limit that `npm run bench` measures servers against: it answers every request with
//! as many bytes as a cache would, and stores nothing. One thread, one io_uring, multishot accept
//! and receive into provided buffers, one system call per turn for all replies of the turn.
//!
//! It reads no more of a request than where it ends and whether it stores: of text and meta
//! commands the first two letters and the line ends (`set` and `ms` have a second line, their
//! value, which must hold no line feed), of binary packets opcode and length. Replies are filler.
//! `version` alone is answered in words, for the bench to see that the server is up.

#[cfg(target_os = "linux")]
mod requests;
#[cfg(target_os = "linux")]
mod server;

#[cfg(target_os = "linux")]
fn main() {
    let mut port = 0;
    let mut shape = requests::Shape { get_reply: 0, set_reply: 0 };
    for argument in std::env::args().skip(1) {
        let number = || argument.split_once('=').and_then(|(_, n)| n.parse().ok());
        match (argument.split('=').next().unwrap_or_default(), number()) {
            ("--port", Some(n)) => port = n as u16,
            ("--get-reply", Some(n)) => shape.get_reply = n,
            ("--set-reply", Some(n)) => shape.set_reply = n,
            _ => {
                eprintln!("null_server: {argument} is not --port=N, --get-reply=BYTES or");
                eprintln!("--set-reply=BYTES");
                std::process::exit(1);
            }
        }
    }
    if let Err(error) = server::run(port, shape) {
        eprintln!("null_server: {error}");
        std::process::exit(1);
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("null_server: io_uring is Linux's");
    std::process::exit(1);
}
