// A job order receiver (OPC 10031-4) on node-opcua: another language, another library.
//
// An independent peer for the adapter. It loads the NodeSets that node-opcua ships (DI, IA,
// Machinery, ISA-95 Job Control, Machinery Jobs, Robotics), instantiates their types by itself,
// and shares no code with the product. The first storing call of an order dawdles when its id
// begins with "slow" (after it is carried out) or "late" (before).
//
//   node server.cjs --port 4840 --truth truth.json --time-scale 100 --slow-ms 1600
//       [--certificate server.der.pem --key key.pem --pki FOLDER --uri URI]   secured: nothing open is let in
"use strict";
const fs = require("node:fs");
const { parseArgs } = require("node:util");
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { nodesets } = require("node-opcua-nodesets");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const { coerceLocalizedText } = require("node-opcua-data-model");
const { DataType, VariantArrayType, Variant } = require("node-opcua-variant");
const { StatusCodes } = require("node-opcua-status-code");

const { values: options } = parseArgs({
  options: {
    port: { type: "string" },
    truth: { type: "string" },
    "time-scale": { type: "string", default: "1" },
    "slow-ms": { type: "string", default: "0" },
    certificate: { type: "string" },
    key: { type: "string" },
    pki: { type: "string" },
    uri: { type: "string" },
  },
});
const URI = {
  di: "http://opcfoundation.org/UA/DI/",
  isa: "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/",
  jobs: "http://opcfoundation.org/UA/Machinery/Jobs/",
  machinery: "http://opcfoundation.org/UA/Machinery/",
  robotics: "http://opcfoundation.org/UA/Robotics/",
};
const NAMES = {
  1: "NotAllowedToStart", 2: "AllowedToStart", 3: "Running", 4: "Interrupted", 5: "Ended",
  6: "Aborted",
};
const OK = 1, UNKNOWN = 2, WRONG_STATE = 8, UNABLE = 16;
const MOVES = {
  Start: [[1], 2], Pause: [[3], 4], Resume: [[4], 3], Stop: [[3, 4], 5],
  Abort: [[1, 2, 3, 4], 6], Cancel: [[1, 2], 0], Clear: [[5, 6], 0],
};
const PIECE = 0x483837; // "H87" as a number: UNECE code of a piece

const truth = { starts: {}, assemblies: {}, stores: 0 };
const jobs = new Map(); // id: { order, state, began, ended, leftMs, at, result }
const dawdled = new Set();

function write() {
  fs.writeFileSync(options.truth + ".part", JSON.stringify(truth));
  fs.renameSync(options.truth + ".part", options.truth);
}

function tally(what, id) {
  truth[what][id] = (truth[what][id] ?? 0) + 1;
  write();
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function dawdle(id, how) {
  if (!id.startsWith(how) || dawdled.has(id)) return;
  dawdled.add(id);
  await pause(Number(options["slow-ms"]));
}

function store(order, state) {
  truth.stores += 1;
  if (jobs.has(order.jobOrderID)) return UNABLE;
  jobs.set(order.jobOrderID, { order, state });
  write();
  return OK;
}

function move(id, [allowed, state]) {
  const job = jobs.get(id);
  if (!job) return UNKNOWN;
  if (!allowed.includes(job.state)) return WRONG_STATE;
  if (state === 0) jobs.delete(id);
  else Object.assign(job, { state }, state > 4 ? { ended: new Date() } : {});
  return OK;
}

function tick() {
  const now = Date.now();
  const atWork = [...jobs.values()].filter((job) => job.state === 3 || job.state === 4);
  const next = [...jobs.values()].find((job) => job.state === 2);
  if (atWork.length === 0 && next) {
    const planned = (next.order.jobOrderParameters ?? []).find((p) => p.iD === "PlannedProductionTime");
    const ms = planned ? planned.value.value : 60000;
    Object.assign(next, { state: 3, began: new Date(), at: now, leftMs: ms / options["time-scale"] });
    tally("starts", next.order.jobOrderID);
  }
  for (const job of atWork) {
    if (job.state === 3) job.leftMs -= now - job.at;
    job.at = now;
    if (job.state === 3 && job.leftMs <= 0) {
      Object.assign(job, { state: 5, ended: new Date(), result: 1 });
      tally("assemblies", job.order.jobOrderID);
    }
  }
}

function build(space) {
  const of = (uri) => space.getNamespaceIndex(uri);
  const own = space.getOwnNamespace();
  const type = (uri, name) => space.findObjectType(name, of(uri));
  const make = (uri, name, fields) =>
    space.constructExtensionObject(space.findDataType(name, of(uri)), fields);
  const stateOf = (job) => [
    make(URI.isa, "ISA95StateDataType", {
      stateText: coerceLocalizedText(NAMES[job.state]),
      stateNumber: job.state,
    }),
  ];
  const consumed = (material) =>
    make(URI.isa, "ISA95MaterialDataType", {
      materialLotID: material.materialLotID,
      materialUse: "Consumed",
      quantity: material.quantity,
      engineeringUnits: { unitId: PIECE },
    });
  const responseOf = (job) =>
    make(URI.isa, "ISA95JobResponseDataType", {
      jobResponseID: "r-" + job.order.jobOrderID,
      jobOrderID: job.order.jobOrderID,
      startTime: job.began,
      endTime: job.ended,
      jobState: stateOf(job),
      jobResponseData: [
        make(URI.isa, "ISA95ParameterDataType", {
          iD: "JobResult",
          value: new Variant({ dataType: DataType.Int32, value: job.result ?? 0 }),
        }),
      ],
      materialActuals: job.began ? (job.order.materialRequirements ?? []).map(consumed) : [],
    });

  const machines = space.rootFolder.objects.getFolderElementByName("Machines", of(URI.machinery));
  const machine = own.addObject({ browseName: "NodeCell", organizedBy: machines });
  const blocks = own.addObject({
    browseName: { name: "MachineryBuildingBlocks", namespaceIndex: of(URI.machinery) },
    componentOf: machine,
  });
  const management = type(URI.jobs, "JobManagementType").instantiate({
    browseName: { name: "JobManagement", namespaceIndex: of(URI.jobs) },
    componentOf: blocks,
    optionals: [
      ...["Store", "StoreAndStart", ...Object.keys(MOVES)].map((m) => `JobOrderControl.${m}`),
    ],
  });
  const receiver = management.getComponentByName("JobOrderControl");
  const results = management.getComponentByName("JobOrderResults");

  const list = receiver.getComponentByName("JobOrderList");
  list.bindVariable({
    get: () =>
      new Variant({
        dataType: DataType.ExtensionObject,
        arrayType: VariantArrayType.Array,
        value: [...jobs.values()].map((job) =>
          make(URI.isa, "ISA95JobOrderAndStateDataType", { jobOrder: job.order, state: stateOf(job) }),
        ),
      }),
  }, true);

  // a [high, low] pair is taken for an array unless it is said to be a scalar
  const status = (number) => ({
    dataType: DataType.UInt64, arrayType: VariantArrayType.Scalar, value: [0, number],
  });
  const bind = (parent, name, run) =>
    parent.getMethodByName(name).bindMethod((inputs, _context, done) => {
      run(inputs).then(
        (outputs) => done(null, { statusCode: StatusCodes.Good, outputArguments: outputs }),
        (error) => { console.error(error); done(null, { statusCode: StatusCodes.BadInternalError }); },
      );
    });
  const storing = (state) => async (inputs) => {
    const order = inputs[0].value;
    await dawdle(order.jobOrderID, "late");
    const answer = store(order, state);
    await dawdle(order.jobOrderID, "slow");
    return [status(answer)];
  };
  bind(receiver, "Store", storing(1));
  bind(receiver, "StoreAndStart", storing(2));
  for (const [name, rule] of Object.entries(MOVES)) {
    bind(receiver, name, async (inputs) => [status(move(inputs[0].value, rule))]);
  }
  bind(results, "RequestJobResponseByJobOrderID", async (inputs) => {
    const job = jobs.get(inputs[0].value);
    const found = { dataType: DataType.ExtensionObject, value: job ? responseOf(job) : null };
    return [found, status(job ? OK : UNKNOWN)];
  });
  robot(space, of, own);
}

function robot(space, of, own) {
  const set = space.rootFolder.objects.getFolderElementByName("DeviceSet", of(URI.di));
  const parent = set ?? space.rootFolder.objects.getComponentByName("DeviceSet", of(URI.di));
  const safety = space.findObjectType("SafetyStateType", of(URI.robotics)).instantiate({
    browseName: { name: "Safety", namespaceIndex: own.index },
    componentOf: parent,
  });
  const parameters = safety.getComponentByName("ParameterSet");
  for (const name of ["EmergencyStop", "ProtectiveStop"]) {
    parameters.getComponentByName(name).setValueFromSource({ dataType: DataType.Boolean, value: false });
  }
  parameters.getComponentByName("OperationalMode").setValueFromSource({ dataType: DataType.Int32, value: 4 });
}

async function main() {
  const secured = options.pki
    ? {
        serverInfo: { applicationUri: options.uri },
        certificateFile: options.certificate,
        privateKeyFile: options.key,
        serverCertificateManager: new OPCUACertificateManager({
          rootFolder: options.pki, automaticallyAcceptUnknownCertificate: false,
        }),
        securityModes: [MessageSecurityMode.SignAndEncrypt],
        securityPolicies: [SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes256_Sha256_RsaPss],
      }
    : {
        securityModes: [MessageSecurityMode.None],
        securityPolicies: [SecurityPolicy.None],
      };
  const server = new OPCUAServer({
    port: Number(options.port),
    hostname: "127.0.0.1",
    resourcePath: "/cell",
    nodeset_filename: [
      nodesets.standard, nodesets.di, nodesets.ia, nodesets.machinery, nodesets.isa95JobControl,
      nodesets.machineryJobs, nodesets.robotics,
    ],
    ...secured,
  });
  await server.initialize();
  build(server.engine.addressSpace);
  setInterval(tick, 20);
  write();
  await server.start();
  console.log("listening", options.port);
}

main().catch((error) => { console.error(error); process.exit(1); });
