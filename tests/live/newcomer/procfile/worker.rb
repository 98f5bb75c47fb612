$stdout.sync = true
puts "working on #{ENV["PORT"]}"
sleep
