/** What a registrar has counted since its start. */
export interface RegistrarStatistics {
  /** New elements. */
  registrations: number;
  /** Registrations of elements that were there. */
  reregistrations: number;
  /** Registrations answered with the R bit. */
  registrationsRefused: number;
  /** Elements that left in order. */
  deregistrations: number;
  /** Pool handles that were resolved. */
  resolutions: number;
  /** Resolutions that gave no element: there is no such pool, none of it is for this user, or it asks too often. */
  resolutionsFailed: number;
  /** ASAP_ENDPOINT_KEEP_ALIVE sent. */
  keepAlivesSent: number;
  /** Keep-alives that were answered. */
  keepAliveAcks: number;
  /** Keep-alives that were not. */
  keepAliveTimeouts: number;
  /** ASAP_ENDPOINT_UNREACHABLE received, about whomever. */
  unreachableReports: number;
  /** Elements that went without deregistration. */
  removals: number;
  /** Messages that could not be read or were no business of a registrar. */
  badMessages: number;
  /** Requests and associations beyond a limit. */
  limitsMet: number;
  /** ASAP_SERVER_ANNOUNCE sent. */
  announces: number;
  /** ENRP_PRESENCE sent. */
  presencesSent: number;
  /** ENRP_HANDLE_UPDATE sent. */
  updatesSent: number;
  /** ENRP_HANDLE_UPDATE received. */
  updatesReceived: number;
  /** Handle tables asked for: of a mentor, and after a checksum that differs. */
  synchronizations: number;
  /** ENRP_HANDLE_TABLE_RESPONSE sent. */
  tablesSent: number;
  /** Takeovers begun here. */
  takeovers: number;
  /** Takeovers begun here and completed. */
  takeoversCompleted: number;
}

/** All zero. */
export function newStatistics(): RegistrarStatistics {
  return {
    registrations: 0,
    reregistrations: 0,
    registrationsRefused: 0,
    deregistrations: 0,
    resolutions: 0,
    resolutionsFailed: 0,
    keepAlivesSent: 0,
    keepAliveAcks: 0,
    keepAliveTimeouts: 0,
    unreachableReports: 0,
    removals: 0,
    badMessages: 0,
    limitsMet: 0,
    announces: 0,
    presencesSent: 0,
    updatesSent: 0,
    updatesReceived: 0,
    synchronizations: 0,
    tablesSent: 0,
    takeovers: 0,
    takeoversCompleted: 0,
  };
}
