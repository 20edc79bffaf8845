if not status_of(ARGV[1]) then return { 'turn_not_found' } end
return read_turn(ARGV[1])
