"""A job order receiver (OPC 10031-4) on python-opcua, the library asyncua came from.

An independent peer for the adapter: it loads the official ISA-95 NodeSet with that library's own
importer, takes the structures from the NodeSet's binary type dictionary and shares no code with
the product. A process of its own, for both libraries keep their types in module globals.
Differs from the simulated cell on purpose: namespaces are numbered differently, node ids are
numbers, there is no Machinery folder and no robot, times are its own, a call blocks the server.
Two lines: one offers StoreAndStart, the other Store and Start apart. The first storing call of an
order dawdles when its id begins with "slow" (after it is carried out) or "late" (before).
"""

import argparse
import json
import logging
import os
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

from opcua import Server, ua

URI = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"
DI = "http://opcfoundation.org/UA/DI/"
NODESET = (
    Path(__file__).parents[2] / "simulators/cell/nodesets/opc.ua.isa95-jobcontrol.nodeset2.xml"
)
RECEIVER, PROVIDER = 1002, 1003
STORE, STORE_AND_START, START, STOP, PAUSE, RESUME = 7001, 7004, 7005, 7006, 7007, 7008
ABORT, CANCEL, CLEAR, RESPONSE = 7010, 7011, 7012, 7002
STATES = {
    1: "NotAllowedToStart", 2: "AllowedToStart", 3: "Running", 4: "Interrupted", 5: "Ended",
    6: "Aborted",
}  # fmt: skip
OK, UNKNOWN, WRONG_STATE, UNABLE = 1, 2, 8, 16
PIECE = 0x483837  # "H87" as a number: UNECE code of a piece


def define_types(server):
    """Classes of the structures in the NodeSet's own type dictionary, optional fields included.

    The library's generator predates optional fields and cannot do it; its codec can.
    """
    for described in server.nodes.opc_binary.get_children_descriptions():
        if described.BrowseName.Name == "Opc.Ua":
            continue
        dictionary = server.get_node(described.NodeId)
        encodings = {}
        for child in dictionary.get_children_descriptions():
            back = server.get_node(child.NodeId).get_references(
                refs=ua.ObjectIds.HasDescription, direction=ua.BrowseDirection.Inverse
            )
            if back:
                encodings[child.BrowseName.Name] = back[0].NodeId
        for declared in ElementTree.fromstring(dictionary.get_value()):
            name = declared.get("Name")
            if declared.tag.endswith("StructuredType"):
                ua.register_extension_object(name, encodings[name], structure(declared))


def structure(declared):
    """One class in the form the library's codec reads: fields, and the bit of each optional."""
    bits, types, switches = {}, [], {}
    for field in declared.iter():
        name, kind = field.get("Name"), (field.get("TypeName") or "").rpartition(":")[2]
        if not field.tag.endswith("}Field") or name.startswith("NoOf"):
            continue
        if kind == "Bit":
            bits[name] = len(bits)
            continue
        types.append((name, "ListOf" + kind if field.get("LengthField") else kind))
        if field.get("SwitchField"):
            switches[name] = ("Encoding", bits[field.get("SwitchField")])
    if bits:
        types.insert(0, ("Encoding", "UInt32"))

    def begin(self, **values):
        # The codec writes an absent list as a length of -1 even when its bit is not set: give [].
        for name, kind in types:
            empty = [] if kind.startswith("ListOf") else None
            setattr(self, name, values.get(name, 0 if name == "Encoding" else empty))

    body = {"ua_types": types, "ua_switches": switches, "__init__": begin}
    return type(declared.get("Name"), (), body)


class Cell:
    """Jobs by id: {order, state, began, ended, held_s}; one at a time, in the order they came."""

    def __init__(self, arguments, name):
        self.arguments = arguments
        self.file = Path(arguments.truth) / f"{name}.json"
        self.jobs = {}
        self.truth = {"starts": {}, "assemblies": {}, "stores": 0}
        self.write()
        self.dawdled = set()

    def tick(self):
        """Let the job in hand go on or the next begin; whether anything changed."""
        now = time.time()
        at_work = [j for j in self.jobs.values() if j["state"] in (3, 4)]
        allowed = [k for k, j in self.jobs.items() if j["state"] == 2]
        if not at_work and allowed:
            self.jobs[allowed[0]].update(state=3, began=now, left_s=self.duration(allowed[0]))
            self.tally("starts", allowed[0])
            return True
        for job in at_work:
            job["left_s"] -= now - job.get("at", now) if job["state"] == 3 else 0
            job["at"] = now
            if job["state"] == 3 and job["left_s"] <= 0:
                job.update(state=5, ended=now, result=1)
                self.tally("assemblies", job["order"].JobOrderID)
                return True
        return False

    def duration(self, job_id):
        planned = [p for p in self.jobs[job_id]["order"].JobOrderParameters
                   if p.ID == "PlannedProductionTime"]  # fmt: skip
        return planned[0].Value.Value / 1000 / self.arguments.time_scale

    def tally(self, what, job_id):
        self.truth[what][job_id] = self.truth[what].get(job_id, 0) + 1
        self.write()

    def write(self):
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(self.truth))
        os.replace(part, self.file)

    def store(self, order, state):
        self.truth["stores"] += 1
        if order.JobOrderID in self.jobs:
            return UNABLE
        self.jobs[order.JobOrderID] = {"order": order, "state": state}
        self.write()
        return OK

    def move(self, job_id, allowed, state):
        job = self.jobs.get(job_id)
        if job is None or job["state"] not in allowed:
            return UNKNOWN if job is None else WRONG_STATE
        if state == 0:
            del self.jobs[job_id]
        else:
            job.update(state=state, **({"ended": time.time()} if state > 4 else {}))
        return OK


MOVES = {
    START: ((1,), 2), PAUSE: ((3,), 4), RESUME: ((4,), 3), STOP: ((3, 4), 5),
    ABORT: ((1, 2, 3, 4), 6), CANCEL: ((1, 2), 0), CLEAR: ((5, 6), 0),
}  # fmt: skip


class Place:
    """The server and its lines."""

    def __init__(self, arguments):
        self.server = Server()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{arguments.port}/cell")
        for uri in ("urn:of:another:vendor", DI):
            self.server.register_namespace(uri)
        self.server.import_xml(str(NODESET))
        define_types(self.server)
        self.own = self.server.register_namespace("urn:legacy:cell")
        self.isa = self.server.get_namespace_index(URI)
        self.pause = threading.Event()
        self.lines = [
            Line(self, arguments, "Line 3", (STORE, STORE_AND_START)),
            Line(self, arguments, "Line 4", (STORE,)),
        ]

    def run(self):
        self.server.start()
        print("listening", flush=True)
        while True:
            for line in self.lines:
                line.step()
            self.pause.wait(0.03)  # the cycle of its work: real time is this peer's own


class Line:
    """The nodes of one receiver."""

    def __init__(self, place, arguments, name, storing):
        self.server, self.own, self.isa = place.server, place.own, place.isa
        self.arguments = arguments
        self.cell = Cell(arguments, name)
        self.build(name, storing)

    def build(self, name, storing):
        """The library makes everything the types declare, optional methods too."""
        line = self.add(self.server.nodes.objects, ua.QualifiedName(name, self.own))
        plate = self.add(line, ua.QualifiedName("Identification", self.di()))
        for field, text in (("Manufacturer", "Another vendor"), ("SoftwareRevision", "3.1")):
            plate.add_property(self.any_id(), ua.QualifiedName(field, self.di()), text)
        receiver = self.add(line, ua.QualifiedName("Jobs", self.own), RECEIVER)
        results = self.add(line, ua.QualifiedName("Answers", self.own), PROVIDER)
        for number in storing:
            self.link(receiver, number, self.storing(number))
        for number in MOVES:
            self.link(receiver, number, self.moving(number))
        self.link(results, RESPONSE, self.response)
        if STORE_AND_START not in storing:
            self.server.delete_nodes([receiver.get_child([f"{self.isa}:StoreAndStart"])])
        self.jobs = receiver.get_child([f"{self.isa}:JobOrderList"])
        self.publish()

    def add(self, parent, name, kind=None):
        types = () if kind is None else (ua.NodeId(kind, self.isa),)
        return parent.add_object(self.any_id(), name, *types)

    def di(self):
        return self.server.get_namespace_index(DI)

    def any_id(self):
        return ua.NodeId(namespaceidx=self.own)

    def link(self, parent, number, call):
        name = self.server.get_node(ua.NodeId(number, self.isa)).get_browse_name()
        self.server.link_method(parent.get_child([name]), call)

    def storing(self, number):
        def call(_parent, order, _comment):
            job_id = order.Value.JobOrderID
            self.dawdle(job_id, "late")
            status = self.cell.store(order.Value, 2 if number == STORE_AND_START else 1)
            self.publish()
            self.dawdle(job_id, "slow")
            return [ua.Variant(status, ua.VariantType.UInt64)]

        return call

    def dawdle(self, job_id, how):
        if job_id.startswith(how) and job_id not in self.cell.dawdled:
            self.cell.dawdled.add(job_id)
            threading.Event().wait(self.arguments.slow_ms / 1000)

    def moving(self, number):
        def call(_parent, job_id, _comment):
            status = self.cell.move(job_id.Value, *MOVES[number])
            self.publish()
            return [ua.Variant(status, ua.VariantType.UInt64)]

        return call

    def response(self, _parent, job_id):
        job = self.cell.jobs.get(job_id.Value)
        found = self.response_of(job) if job else None
        status = OK if job else UNKNOWN
        return [ua.Variant(found, ua.VariantType.ExtensionObject),
                ua.Variant(status, ua.VariantType.UInt64)]  # fmt: skip

    def response_of(self, job):
        order = job["order"]
        result = ua.ISA95ParameterDataType(
            ID="JobResult", Value=ua.Variant(job.get("result", 0), ua.VariantType.Int32)
        )
        return ua.ISA95JobResponseDataType(
            JobResponseID="r-" + order.JobOrderID,
            JobOrderID=order.JobOrderID,
            StartTime=moment(job.get("began")),
            EndTime=moment(job.get("ended")),
            JobState=state_of(job),
            JobResponseData=[result],
            MaterialActuals=[consumed(m) for m in order.MaterialRequirements if "began" in job],
        )

    def publish(self):
        listed = [ua.ISA95JobOrderAndStateDataType(JobOrder=j["order"], State=state_of(j))
                  for j in self.cell.jobs.values()]  # fmt: skip
        self.jobs.set_value(ua.Variant(listed, ua.VariantType.ExtensionObject, is_array=True))

    def step(self):
        if self.cell.tick():
            self.publish()


def moment(at):
    return datetime.utcfromtimestamp(at) if at else None


def state_of(job):
    text = ua.LocalizedText(STATES[job["state"]])
    path = ua.RelativePath()
    return [ua.ISA95StateDataType(BrowsePath=path, StateText=text, StateNumber=job["state"])]


def consumed(wanted):
    unit = ua.EUInformation()
    unit.UnitId = PIECE
    return ua.ISA95MaterialDataType(
        MaterialLotID=wanted.MaterialLotID,
        MaterialUse="Consumed",
        Quantity=wanted.Quantity,
        EngineeringUnits=unit,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--truth", required=True, help="folder")
    parser.add_argument("--time-scale", type=float, default=1)
    parser.add_argument("--slow-ms", type=int, default=0, help="how long a call dawdles")
    logging.disable(logging.CRITICAL)
    Place(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
