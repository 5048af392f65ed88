//! A router that knows UPnP only: an Internet Gateway Device on loopback, which answers a search (SSDP), describes itself and does what it is asked (SOAP).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use tokio::net::{TcpListener, UdpSocket};
use tresen_wire::CloseCode;

use crate::port_mapping::{EXTERNAL_IP, WANTED_S, behind, until_offered};
use crate::relayed::eventually;

/// The service that maps ports.
const SERVICE: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

/// What a device can do that maps ports, as far as the box asks for it (WANIPConnection:1, sections 2.4.16 to 2.4.18).
const ACTIONS: [(&str, &[&str]); 3] = [
    (
        "AddPortMapping",
        &[
            "NewRemoteHost",
            "NewExternalPort",
            "NewProtocol",
            "NewInternalPort",
            "NewInternalClient",
            "NewEnabled",
            "NewPortMappingDescription",
            "NewLeaseDuration",
        ],
    ),
    ("DeletePortMapping", &["NewRemoteHost", "NewExternalPort", "NewProtocol"]),
    ("GetExternalIPAddress", &[]),
];

/// What a device makes of a request for a port.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Willing,
    /// It maps ports for ever or not at all, and takes two of the three seconds that a search allows it.
    ForEver,
    /// The first one that it is asked for belongs to somebody else.
    Taken,
}

/// What it was asked for: the action, and all that is said with it.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

#[derive(Clone)]
struct Device {
    kind: Kind,
    asked: Asked,
}

impl Device {
    async fn start(at: Ipv4Addr, kind: Kind) -> Self {
        let device = Self { kind, asked: Asked::default() };
        let listener = TcpListener::bind((at, 0)).await.unwrap();
        let description = format!("http://{}/device.xml", listener.local_addr().unwrap());
        let search = UdpSocket::bind((at, 1900)).await.unwrap();
        let pause = Duration::from_secs(if kind == Kind::ForEver { 2 } else { 0 });
        tokio::spawn(answer_searches(search, description, pause));
        let pages = axum::Router::new()
            .route("/device.xml", get(described))
            .route("/actions.xml", get(actions))
            .route("/control", post(done))
            .with_state(device.clone());
        tokio::spawn(async move { axum::serve(listener, pages).await });
        device
    }

    /// What was said with each request for this.
    fn asked(&self, action: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(name, _)| name == action).map(|(_, said)| said.clone()).collect()
    }
}

async fn answer_searches(socket: UdpSocket, description: String, pause: Duration) {
    let mut request = [0; 1_500];
    while let Ok((length, from)) = socket.recv_from(&mut request).await {
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        if request.starts_with("M-SEARCH") && request.contains("InternetGatewayDevice:1") {
            let answer = format!("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: {description}\r\n\r\n");
            tokio::time::sleep(pause).await;
            socket.send_to(answer.as_bytes(), from).await.unwrap();
        }
    }
}

async fn described() -> String {
    let device = |kind: &str, inner: String| {
        format!("<device><deviceType>urn:schemas-upnp-org:device:{kind}:1</deviceType>{inner}</device>")
    };
    let service = format!(
        "<serviceList><service><serviceType>{SERVICE}</serviceType><controlURL>/control</controlURL><SCPDURL>/actions.xml</SCPDURL></service></serviceList>"
    );
    let list = |inner: String| format!("<deviceList>{inner}</deviceList>");
    let wan = device("WANDevice", list(device("WANConnectionDevice", service)));
    format!("<?xml version=\"1.0\"?><root>{}</root>", device("InternetGatewayDevice", list(wan)))
}

async fn actions() -> String {
    let argument = |name: &&str| format!("<argument><name>{name}</name><direction>in</direction></argument>");
    let action = |(name, arguments): &(&str, &[&str])| {
        let arguments: String = arguments.iter().map(argument).collect();
        format!("<action><name>{name}</name><argumentList>{arguments}</argumentList></action>")
    };
    let actions: String = ACTIONS.iter().map(action).collect();
    format!("<?xml version=\"1.0\"?><scpd><actionList>{actions}</actionList></scpd>")
}

async fn done(State(device): State<Device>, headers: HeaderMap, said: String) -> (StatusCode, String) {
    let action = headers["soapaction"].to_str().unwrap().trim_matches('"');
    let action = action.strip_prefix(SERVICE).unwrap().trim_start_matches('#').to_owned();
    let is_first = device.asked(&action).is_empty();
    device.asked.lock().unwrap().push((action.clone(), said.clone()));
    let refused = match (action.as_str(), device.kind) {
        ("AddPortMapping", Kind::ForEver) if value(&said, "NewLeaseDuration") != "0" => Some(725),
        ("AddPortMapping", Kind::Taken) if is_first => Some(718),
        _ => None,
    };
    let body = |inner: String| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{inner}</s:Body></s:Envelope>"
        )
    };
    if let Some(code) = refused {
        let error = format!(
            "<UPnPError><errorCode>{code}</errorCode><errorDescription>no</errorDescription></UPnPError>"
        );
        let fault = format!(
            "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>{error}</detail></s:Fault>"
        );
        return (StatusCode::INTERNAL_SERVER_ERROR, body(fault));
    }
    let address = match action.as_str() {
        "GetExternalIPAddress" => format!("<NewExternalIPAddress>{EXTERNAL_IP}</NewExternalIPAddress>"),
        _ => String::new(),
    };
    let answer = format!("<u:{action}Response xmlns:u=\"{SERVICE}\">{address}</u:{action}Response>");
    (StatusCode::OK, body(answer))
}

/// What stands in an element.
fn value<'a>(said: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    said.split_once(&open).and_then(|(_, rest)| rest.split_once(&close)).expect(name).0
}

/// Promise: a router that knows UPnP only is asked by it for the box's own UDP port and for no longer than by the others; what it maps is offered to devices, and given back when the box stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_knows_upnp_only_maps_a_port() {
    let at = Ipv4Addr::new(127, 53, 51, 8);
    let device = Device::start(at, Kind::Willing).await;
    let (_relay, world, native) = behind(at).await;
    let port = world.port().to_string();
    until_offered(&world, &native, SocketAddr::new(EXTERNAL_IP.into(), world.port()), true).await;
    let asked = device.asked("AddPortMapping");
    let wanted = [
        ("NewProtocol", "UDP"),
        ("NewInternalPort", &port),
        ("NewExternalPort", &port),
        ("NewInternalClient", "127.0.0.1"),
        ("NewRemoteHost", ""),
        ("NewEnabled", "1"),
        ("NewLeaseDuration", &WANTED_S.to_string()),
        ("NewPortMappingDescription", "Tresen"),
    ];
    for (name, wanted) in wanted {
        assert_eq!(value(&asked[0], name), wanted, "{name}");
    }
    world.server.finish(CloseCode::ServerStopping, "").await;
    let given_back = device.asked("DeletePortMapping").pop().expect("given back");
    assert_eq!(
        (value(&given_back, "NewExternalPort"), value(&given_back, "NewProtocol")),
        (port.as_str(), "UDP")
    );
}

/// Promise: a router that maps ports for ever only, and is slow to say so, is asked to; one at which somebody else has the port maps another one, which is offered and given back.
#[tokio::test(flavor = "multi_thread")]
async fn routers_with_ways_of_their_own_map_a_port_too() {
    let (for_ever, taken) = (Ipv4Addr::new(127, 53, 51, 9), Ipv4Addr::new(127, 53, 51, 10));
    let device = Device::start(for_ever, Kind::ForEver).await;
    let (_relay, world, native) = behind(for_ever).await;
    until_offered(&world, &native, SocketAddr::new(EXTERNAL_IP.into(), world.port()), true).await;
    assert_eq!(value(device.asked("AddPortMapping").last().unwrap(), "NewLeaseDuration"), "0");

    let device = Device::start(taken, Kind::Taken).await;
    let (_relay, world, native) = behind(taken).await;
    eventually("it is asked for another one", || device.asked("AddPortMapping").len() == 2).await;
    let other: u16 = value(&device.asked("AddPortMapping")[1], "NewExternalPort").parse().unwrap();
    assert_ne!(other, world.port());
    until_offered(&world, &native, SocketAddr::new(EXTERNAL_IP.into(), other), true).await;
    world.server.finish(CloseCode::ServerStopping, "").await;
    assert_eq!(value(&device.asked("DeletePortMapping")[0], "NewExternalPort"), other.to_string());
}
