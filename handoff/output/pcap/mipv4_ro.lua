-- Mobile IPv4 messages that Wireshark does not dissect: route optimization (draft-ietf-mobileip-optim, types 16 to 19, or 240 to
-- 243 where a capture has regional registrations, too) and regional registration (RFC 4857, types 18 and 19).
--
--     tshark -X lua_script:$(handoff dissector) -r FILE
--
-- Types 18 and 19 mean two things. A message is a regional registration if its extensions begin where those of one begin; every
-- other message on UDP port 434 goes to Wireshark's own dissector.

local p = Proto("mipro", "Mobile IPv4 route optimization and regional registration")

local types = {
  [16] = "Binding Warning", [17] = "Binding Request", [18] = "Binding Update", [19] = "Binding Acknowledge",
}
local f = {
  type = ProtoField.uint8("mipro.type", "Message type"),
  name = ProtoField.string("mipro.name", "Message"),
  flags = ProtoField.uint8("mipro.flags", "Flags", base.HEX),
  ack = ProtoField.bool("mipro.flags.a", "Acknowledge (A)", 8, nil, 0x80),
  code = ProtoField.uint8("mipro.code", "Reply code"),
  negative = ProtoField.bool("mipro.n", "Negative (N)", 8, nil, 0x80),
  lifetime = ProtoField.uint16("mipro.lifetime", "Lifetime (s)"),
  home = ProtoField.ipv4("mipro.home", "Home address"),
  agent = ProtoField.ipv4("mipro.agent", "Gateway foreign agent"),
  careof = ProtoField.ipv4("mipro.careof", "Care-of address"),
  ident = ProtoField.uint64("mipro.ident", "Identification", base.HEX),
  extension = ProtoField.uint8("mipro.ext.type", "Extension type"),
  spi = ProtoField.uint32("mipro.auth.spi", "Security parameter index"),
  authenticator = ProtoField.bytes("mipro.auth.authenticator", "Authenticator"),
}
p.fields = f
local short = ProtoExpert.new("mipro.short", "Message is cut short", expert.group.MALFORMED, expert.severity.ERROR)
p.experts = { short }

local wireshark = DissectorTable.get("udp.port"):get_dissector(434)

-- Fixed parts: size, and the fields from the second byte on as (field, offset, length).
local update = { 20, { f.flags, 1, 1 }, { f.ack, 1, 1 }, { f.lifetime, 2, 2 }, { f.home, 4, 4 }, { f.careof, 8, 4 }, { f.ident, 12, 8 } }
local acknowledge = { 16, { f.negative, 1, 1 }, { f.home, 4, 4 }, { f.ident, 8, 8 } }
local home_only = { 8, { f.home, 4, 4 } }
local request = { 24, { f.flags, 1, 1 }, { f.lifetime, 2, 2 }, { f.home, 4, 4 }, { f.agent, 8, 4 }, { f.careof, 12, 4 }, { f.ident, 16, 8 } }
local reply = { 20, { f.code, 1, 1 }, { f.lifetime, 2, 2 }, { f.home, 4, 4 }, { f.agent, 8, 4 }, { f.ident, 12, 8 } }
local optimization = { [16] = home_only, [17] = home_only, [18] = update, [19] = acknowledge }
local regional = { [18] = { request, "Regional Registration Request" }, [19] = { reply, "Regional Registration Reply" } }

-- Whether extensions (type, length, ...) fill the buffer from an offset to its end.
local function extensions_from(buffer, at)
  while at + 2 <= buffer:len() do
    if buffer(at, 1):uint() < 32 then return false end
    at = at + 2 + buffer(at + 1, 1):uint()
  end
  return at == buffer:len()
end

local function dissect(buffer, pinfo, tree, layout, name)
  local size = layout[1]
  local item = tree:add(p, buffer(), "Mobile IPv4, " .. name)
  pinfo.cols.protocol = "MobileIP"
  pinfo.cols.info = name
  item:add(f.type, buffer(0, 1))
  item:add(f.name, buffer(0, 1), name):set_generated()
  if buffer:len() < size then
    item:add_proto_expert_info(short)
    return
  end
  for i = 2, #layout do
    local field, from, length = table.unpack(layout[i])
    item:add(field, buffer(from, length))
  end
  local at = size
  while at + 2 <= buffer:len() do
    local kind, length = buffer(at, 1):uint(), buffer(at + 1, 1):uint()
    if at + 2 + length > buffer:len() then
      item:add_proto_expert_info(short)
      return
    end
    local part = item:add(f.extension, buffer(at, 1))
    if kind >= 32 and kind <= 35 and length > 4 then
      part:add(f.spi, buffer(at + 2, 4))
      part:add(f.authenticator, buffer(at + 6, length - 4))
    end
    at = at + 2 + length
  end
end

function p.dissector(buffer, pinfo, tree)
  local kind = buffer(0, 1):uint()
  local own = kind >= 240 and kind - 224 or kind
  local region = kind == own and regional[kind]
  if region and buffer:len() >= region[1][1] and extensions_from(buffer, region[1][1]) then
    dissect(buffer, pinfo, tree, region[1], region[2])
  elseif optimization[own] then
    dissect(buffer, pinfo, tree, optimization[own], types[own])
  elseif wireshark then
    wireshark:call(buffer, pinfo, tree)
  end
end

DissectorTable.get("udp.port"):add(434, p)
