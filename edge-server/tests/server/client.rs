//! A device: the client's half of a session over either transport, driven by the labels on its screen.

mod native;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{SinkExt, StreamExt};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tresen_identity::{BrowserGreeting, Challenge, session_statement};
use tresen_scene::{OutlineKind, ScrollOffsets, outline};
use tresen_session::{Receiver, ReceiverEvent};
use tresen_wire::{CloseCode, Input, Language, Look, Theme, ToClient};

pub use self::native::{Native, framed, read};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A tablet: everything is in sight.
const LOOK: Look =
    Look { width_px: 800, height_px: 1280, scale_100: 100, theme: Theme::Light, language: Language::En };

/// A transport of either kind as two queues; the incoming one ends when the connection does.
pub struct Wire {
    pub incoming: mpsc::UnboundedReceiver<Vec<u8>>,
    pub outgoing: mpsc::UnboundedSender<Vec<u8>>,
}

pub struct Client {
    pub receiver: Receiver,
    wire: Wire,
    began: Instant,
    /// What the server said when it closed.
    pub closed: Option<(CloseCode, String)>,
    /// Taps of [`Client::tap_until_closed`] that were acknowledged.
    pub confirmed: u32,
}

impl Client {
    pub fn new(wire: Wire) -> Self {
        Self::on(Receiver::new(LOOK, None), wire)
    }

    /// A device that comes back: with what it had of its session.
    pub fn on(receiver: Receiver, wire: Wire) -> Self {
        let mut client = Self { receiver, wire, began: Instant::now(), closed: None, confirmed: 0 };
        client.receiver.connect(0);
        client.flush();
        client
    }

    /// A browser tab on the demo's own machine that keeps guesses.
    pub async fn guessing_tab(port: u16, tab: u8) -> Self {
        let mut receiver = Receiver::new(LOOK, None);
        receiver.set_guesses(96);
        Self::on(receiver, loopback(port, tab).await)
    }

    /// A browser tab on the demo's own machine.
    pub async fn tab(port: u16, tab: u8) -> Self {
        Self::new(loopback(port, tab).await)
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn flush(&mut self) {
        while let Some(message) = self.receiver.poll_transmit(self.now_ms()) {
            let _ = self.wire.outgoing.send(message);
        }
    }

    /// Runs the session until `done`.
    pub async fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let limit = Instant::now() + PATIENCE;
        while !done(self) {
            let wait = limit.saturating_duration_since(Instant::now());
            match tokio::time::timeout(wait, self.wire.incoming.recv()).await {
                Ok(Some(message)) => self.handle(&message),
                Ok(None) if self.closed.is_none() => self.closed = Some((CloseCode::Internal, "lost".into())),
                Ok(None) => {
                    panic!("closed with {:?} before {what}; on screen: {:?}", self.closed, self.labels())
                }
                Err(_) => panic!("waited in vain for {what}; on screen: {:?}", self.labels()),
            }
        }
    }

    fn handle(&mut self, message: &[u8]) {
        let now_ms = self.now_ms();
        match self.receiver.handle(now_ms, message).unwrap() {
            Some(ReceiverEvent::Closed { code, text }) => self.closed = Some((code, text.to_string())),
            Some(ReceiverEvent::Screen(_)) | None => {}
        }
        self.flush();
    }

    /// The names of everything on the screen.
    pub fn labels(&self) -> Vec<String> {
        let Some(root) = self.receiver.root() else { return Vec::new() };
        outline(root, &ScrollOffsets::default()).into_iter().map(|item| item.label).collect()
    }

    pub fn sees(&self, text: &str) -> bool {
        self.labels().iter().any(|label| label.contains(text))
    }

    pub async fn see(&mut self, text: &str) {
        self.until(text, |client| client.sees(text)).await;
    }

    fn action(&self, name: &str) -> Option<tresen_scene::Action> {
        let items = outline(self.receiver.root()?, &ScrollOffsets::default());
        let fits = |label: &str| {
            label == name || label.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', ',']))
        };
        let found = items
            .into_iter()
            .rev()
            .find(|item| fits(&item.label) && matches!(item.kind, OutlineKind::Touch { .. }))?;
        match found.kind {
            OutlineKind::Touch { action, .. } => Some(action),
            _ => None,
        }
    }

    /// Taps what has this name, as soon as it is there, and waits until the server has answered.
    pub async fn tap(&mut self, name: &str) {
        self.tap_unconfirmed(name).await;
        self.until("an answer", |client| client.receiver.unanswered() == 0).await;
    }

    /// Taps what books something, and waits until that is on disk.
    pub async fn book(&mut self, name: &str) {
        self.tap_unconfirmed(name).await;
        self.until("the acknowledgement", |client| client.receiver.unacknowledged() == 0).await;
    }

    /// Taps, and waits until that is on disk or the connection is closed.
    pub async fn tap_until_closed(&mut self, name: &str) {
        self.tap_unconfirmed(name).await;
        self.until("an answer", |client| client.receiver.unacknowledged() == 0 || client.closed.is_some())
            .await;
        self.confirmed += u32::from(self.receiver.unacknowledged() == 0);
    }

    pub async fn tap_unconfirmed(&mut self, name: &str) {
        self.until(name, |client| client.action(name).is_some()).await;
        let action = self.action(name).unwrap();
        self.send(Input::Tap(action));
    }

    pub fn send(&mut self, input: Input) {
        let now_ms = self.now_ms();
        self.receiver.input(now_ms, input).unwrap();
        self.flush();
    }

    pub async fn log_in(&mut self, person: &str, pin: &str) {
        self.tap(person).await;
        for digit in pin.chars() {
            self.tap(&digit.to_string()).await;
        }
        self.see("Tables").await;
    }

    /// Waits until the server closes the connection: its code.
    pub async fn closing(&mut self) -> CloseCode {
        self.until("the end", |client| client.closed.is_some()).await;
        self.closed.as_ref().unwrap().0
    }

    /// Goes without a word, and keeps the session.
    pub fn leave(self) -> Receiver {
        self.receiver
    }

    /// Waits until the connection is gone, with or without a word, and keeps the session.
    pub async fn gone(mut self) -> Receiver {
        self.until("the end", |client| client.closed.is_some()).await;
        self.receiver
    }
}

/// A WebSocket of a browser tab on the demo's own machine, past the handshake.
pub async fn loopback(port: u16, tab: u8) -> Wire {
    let mut socket = dial(port, &format!("http://127.0.0.1:{port}")).await.unwrap();
    let greeting = greeting(&mut socket).await;
    assert!(greeting.loopback);
    let tab = URL_SAFE_NO_PAD.encode([tab; 16]);
    let proof = format!(r#"{{"loopback":{{"tab":"{tab}"}}}}"#);
    socket.send(Message::Text(proof.into())).await.unwrap();
    pump(socket)
}

/// A WebSocket of a paired browser, past the handshake.
pub async fn paired_browser(port: u16, key: &SigningKey) -> Wire {
    let socket = dial(port, &format!("http://127.0.0.1:{port}")).await.unwrap();
    paired_on(socket, key).await.1
}

/// What the server greeted a paired browser with, and its WebSocket past the handshake.
pub async fn paired_on<S>(mut socket: WebSocketStream<S>, key: &SigningKey) -> (BrowserGreeting, Wire)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let greeting = greeting(&mut socket).await;
    let challenge = URL_SAFE_NO_PAD.decode(&greeting.challenge).unwrap();
    let statement = session_statement(&greeting.server, &Challenge(challenge.try_into().unwrap()));
    let signature: Signature = key.sign(&statement);
    let proof = serde_json::json!({"browser": {
        "key": browser_spki(key),
        "signature": URL_SAFE_NO_PAD.encode(signature.to_bytes()),
    }});
    socket.send(Message::Text(proof.to_string().into())).await.unwrap();
    (greeting, pump(socket))
}

/// A browser's public key as it is sent.
pub fn browser_spki(key: &SigningKey) -> String {
    URL_SAFE_NO_PAD.encode(key.verifying_key().to_public_key_der().unwrap().as_bytes())
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens the WebSocket as a page of `origin` would.
pub async fn dial(port: u16, origin: &str) -> Result<Socket, tungstenite::Error> {
    let mut request = format!("ws://127.0.0.1:{port}/session").into_client_request()?;
    request.headers_mut().insert("origin", origin.parse().unwrap());
    tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
}

pub async fn greeting<S>(socket: &mut WebSocketStream<S>) -> BrowserGreeting
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match socket.next().await.unwrap().unwrap() {
        Message::Text(text) => serde_json::from_str(text.as_str()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn pump<S>(socket: WebSocketStream<S>) -> Wire
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sink, mut stream) = socket.split();
    let (to_test, incoming) = mpsc::unbounded_channel();
    let (outgoing, mut from_test) = mpsc::unbounded_channel::<Vec<u8>>();
    tokio::spawn(async move {
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Binary(bytes) = message {
                let _ = to_test.send(bytes.to_vec());
            }
        }
    });
    tokio::spawn(async move {
        while let Some(message) = from_test.recv().await {
            let _ = sink.send(Message::Binary(message.into())).await;
        }
        let _ = sink.close().await;
    });
    Wire { incoming, outgoing }
}

/// The code of the goodbye that must come next on a raw connection; other messages before it are skipped.
pub async fn goodbye(incoming: &mut mpsc::UnboundedReceiver<Vec<u8>>) -> CloseCode {
    loop {
        let message = tokio::time::timeout(PATIENCE, incoming.recv()).await.unwrap().expect("a goodbye");
        if let Ok(ToClient::Bye { code, .. }) = ToClient::decode(&message) {
            return code;
        }
    }
}
