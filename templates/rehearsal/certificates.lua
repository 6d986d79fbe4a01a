-- What an Application Load Balancer tells targets of a client's certificates in mode passthrough: the whole chain that
-- the client sent, its own certificate first, as PEM with percent signs; `+`, `=` and `/` stay as they are.

-- DER certificates that stand one behind the other, each by the length that it begins with (X.690, 8.1.3).
local function each(chain)
  local found, position = {}, 1
  while position + 3 <= #chain do
    local header, length = 2, chain:byte(position + 1)
    if length > 127 then
      local octets = length - 128
      length = 0
      for number = 1, octets do
        length = length * 256 + (chain:byte(position + 1 + number) or 0)
      end
      header = 2 + octets
    end
    found[#found + 1] = chain:sub(position, position + header + length - 1)
    position = position + header + length
  end
  return found
end

core.register_fetches("client_chain", function(txn)
  local lines = {}
  for _, der in ipairs(each((txn.f:ssl_c_der() or "") .. (txn.f:ssl_c_chain_der() or ""))) do
    lines[#lines + 1] = "-----BEGIN%20CERTIFICATE-----"
    for line in txn.c:base64(der):gmatch((".?"):rep(64)) do
      if line ~= "" then lines[#lines + 1] = line end
    end
    lines[#lines + 1] = "-----END%20CERTIFICATE-----"
  end
  return #lines > 0 and table.concat(lines, "%0A") .. "%0A" or ""
end)
