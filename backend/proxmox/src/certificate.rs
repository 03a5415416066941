//! The certificate that a host presents, looked at before anybody trusts it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::tls::configure;
use crate::{Error, Fingerprint, HostPort, Result};

/// What a certificate says of itself. Only the fingerprint is sure; everything else is whatever its maker wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// SHA-256 of it, as the host's own pages show it.
    pub fingerprint: String,
    /// Whose it is, e.g. `CN=pve1.lan, O=Proxmox Virtual Environment`; empty when it cannot be read.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when it is valid, seconds since the epoch.
    pub not_before: i64,
    /// Until when it is valid, seconds since the epoch.
    pub not_after: i64,
}

impl Certificate {
    fn read(der: &[u8]) -> Self {
        let fingerprint = Fingerprint::of(der).to_string();
        let Ok((_, parsed)) = X509Certificate::from_der(der) else {
            return Self {
                fingerprint,
                subject: String::new(),
                issuer: String::new(),
                not_before: 0,
                not_after: 0,
            };
        };
        Self {
            fingerprint,
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
        }
    }
}

/// Notes what a host presents and then refuses it, so that nothing can ever be sent over such a connection.
#[derive(Debug)]
struct Onlooker {
    seen: Mutex<Option<Vec<u8>>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.to_vec());
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// What certificate a host presents, for a person to compare and confirm. Proves nothing by itself.
pub async fn probe_certificate(host: &HostPort, timeout: Duration) -> Result<Certificate> {
    if !host.is_valid() {
        return Err(Error::parameter("host", "not a host"));
    }
    let provider = Arc::new(ring::default_provider());
    let onlooker = Arc::new(Onlooker {
        seen: Mutex::new(None),
        provider: provider.clone(),
    });
    let connector =
        tokio_rustls::TlsConnector::from(Arc::new(configure(onlooker.clone(), provider)?));
    let name = ServerName::try_from(host.host.clone())
        .map_err(|_| Error::parameter("host", "not a host"))?;
    let unreachable = |reason: String| Error::Unreachable {
        host: host.to_string(),
        reason,
    };
    let look = async {
        let stream = TcpStream::connect((host.host.as_str(), host.port))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let refused = connector
            .connect(name, stream)
            .await
            .err()
            .map_or_else(|| "no certificate".to_owned(), |error| error.to_string());
        let seen = onlooker
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        seen.map(|der| Certificate::read(&der))
            .ok_or_else(|| Error::Tls {
                host: host.to_string(),
                reason: refused,
            })
    };
    tokio::time::timeout(timeout, look)
        .await
        .unwrap_or_else(|_| Err(unreachable(format!("no answer within {timeout:?}"))))
}
